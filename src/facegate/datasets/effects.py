"""What the world does to a picture, as pure functions of a picture and a generator; NumPy and OpenCV only.

They complement the transforms of the augmentation library by what it lacks or does slowly. Each takes and
returns RGB uint8 of shape (H, W, 3) and leaves its argument alone.
"""

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
BANK = 32
"""Number of precomputed noise and light fields; each use picks one and flips it."""


@cache
def _noise_bank(height: int, width: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(height * 10_000 + width)
    return rng.standard_normal((BANK, height, width, 3), np.float32)


@cache
def _light_bank(height: int, width: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(height * 10_000 + width + 1)
    coarse = rng.standard_normal((BANK, 3, 3), np.float32)
    fields = np.stack([cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC) for c in coarse])
    return (fields - fields.mean((1, 2), keepdims=True)) / fields.std((1, 2), keepdims=True)


def _pick(bank: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    field = bank[rng.integers(BANK)]
    return field[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]


def noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Sensor noise of 2 to 14 grey levels."""
    field = _pick(_noise_bank(*picture.shape[:2]), rng) * np.float32(rng.uniform(2, 14))
    return np.asarray(cv2.add(picture, field, dtype=cv2.CV_8U), np.uint8)


def light_gradient(picture: Picture, rng: np.random.Generator) -> Picture:
    """Uneven light: a smooth field of gains with a spread of 5 to 40 %."""
    field = _pick(_light_bank(*picture.shape[:2]), rng) * np.float32(rng.uniform(0.05, 0.4))
    gains = cv2.merge([np.maximum(field + 1, np.float32(0.3))] * 3)
    return np.asarray(cv2.multiply(picture, gains, dtype=cv2.CV_8U), np.uint8)


def tone(picture: Picture, rng: np.random.Generator) -> Picture:
    """Exposure, contrast and gamma in one table per channel, with a slight colour cast."""
    mean = cv2.mean(picture)[0]
    spread = rng.standard_normal(6)
    gain, contrast, gamma = np.exp(spread[:3] * (0.2, 0.22, 0.25))
    curve = np.clip((np.arange(256) - mean) * contrast + mean * gain, 0, 255) / 255
    table = 255 * np.outer(curve**gamma, np.exp(0.08 * spread[3:]))
    return np.asarray(cv2.LUT(picture, np.minimum(table, 255).astype(np.uint8)[None]), np.uint8)


def jitter(picture: Picture, rng: np.random.Generator, scale: float, rotate: float, move: float) -> Picture:
    """Mirrored half of the time, scaled, turned and moved, the border smeared out; in one resampling.

    Args:
        picture: RGB uint8.
        rng: source of chance.
        scale: spread of the logarithm of the scale.
        rotate: spread of the angle, degrees.
        move: spread of the shift, share of the side.
    """
    height, width = picture.shape[:2]
    spread = rng.standard_normal(4)
    matrix = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2), float(spread[0] * rotate), float(np.exp(spread[1] * scale))
    )
    matrix[:, 2] += spread[2:] * move * (width, height)
    if rng.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    return np.asarray(
        cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def mirror(picture: Picture, rng: np.random.Generator) -> Picture:
    """Mirrored half of the time."""
    return picture[:, ::-1] if rng.random() < 0.5 else picture


def nudge(picture: Picture, rng: np.random.Generator) -> Picture:
    """The same moment on another picture: perhaps mirrored, a pixel or two aside, a shade lighter or darker, grainy.

    A recogniser that has seen real faces says nearly the same of both.
    """
    moved = jitter(picture, rng, scale=0.012, rotate=1.2, move=0.008)
    gain, level, grain = rng.uniform((0.9, -10, 0), (1.1, 10, 4)).astype(np.float32)
    field = _pick(_noise_bank(*picture.shape[:2]), rng)
    return np.clip((moved - np.float32(128)) * gain + 128 + level + grain * field, 0, 255).astype(np.uint8)


def low_resolution(picture: Picture, rng: np.random.Generator) -> Picture:
    """Seen from afar: shrunk to between 23 % and 90 % of its side and enlarged again."""
    height, width = picture.shape[:2]
    share = rng.uniform(0.23, 0.9)
    small = cv2.resize(
        picture, (max(8, int(width * share)), max(8, int(height * share))), interpolation=cv2.INTER_AREA
    )
    back = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.uint8)


def glasses(picture: Picture, rng: np.random.Generator) -> Picture:
    """Drawn frames over the eyes of an aligned face."""
    width = picture.shape[1]
    unit = width / 112
    colour = [int(v) for v in rng.integers(0, 130, 3)]
    thick = int(rng.integers(1, 4))
    half = (int(rng.uniform(11, 16) * unit), int(rng.uniform(8, 13) * unit))
    level = int((52 + rng.normal(2, 1.5)) * unit)
    drawn = picture.copy()
    round_frame = rng.random() < 0.5
    for x in (int(38 * unit), int(74 * unit)):
        if round_frame:
            cv2.ellipse(drawn, (x, level), half, 0, 0, 360, colour, thick)
        else:
            cv2.rectangle(
                drawn, (x - half[0], level - half[1]), (x + half[0], level + half[1]), colour, thick
            )
    cv2.line(
        drawn, (int(38 * unit) + half[0], level - 2), (int(74 * unit) - half[0], level - 2), colour, thick
    )
    cv2.line(drawn, (0, level - 3), (int(38 * unit) - half[0], level - 2), colour, thick)
    cv2.line(drawn, (int(74 * unit) + half[0], level - 2), (width - 1, level - 3), colour, thick)
    return drawn


def occluder(picture: Picture, rng: np.random.Generator) -> Picture:
    """A hand, scarf or sign: a box of one colour, or of noise, over part of the picture."""
    height, width = picture.shape[:2]
    box = (int(width * rng.uniform(0.1, 0.45)), int(height * rng.uniform(0.1, 0.4)))
    x, y = max(0, int(width * rng.uniform(-0.1, 0.9))), max(0, int(height * rng.uniform(-0.1, 0.9)))
    covered = picture.copy()
    patch = covered[y : y + box[1], x : x + box[0]]
    patch[:] = rng.integers(0, 256, 3)
    if rng.random() < 0.4:
        grain = _pick(_noise_bank(height, width), rng)[y : y + box[1], x : x + box[0]]
        patch[:] = np.clip(rng.uniform(60, 200) + 50 * grain, 0, 255).astype(np.uint8)
    return covered


def tight_crop(picture: Picture, rng: np.random.Generator) -> Picture:
    """As from a file cropped close to the face: what lay outside is black or smeared out."""
    height, width = picture.shape[:2]
    left, right = (int(width * rng.uniform(0, 0.2) * (rng.random() < 0.6)) for _ in range(2))
    top, bottom = (int(height * rng.uniform(0, limit) * (rng.random() < 0.6)) for limit in (0.3, 0.12))
    kept = picture[top : height - bottom, left : width - right]
    border = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(cv2.copyMakeBorder(kept, top, bottom, left, right, border), np.uint8)


def smooth_warp(
    rng: np.random.Generator, size: int, strength: float, stretch: float = 0.04
) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Maps for ``cv2.remap`` that change the proportions of an aligned face smoothly and nearly symmetrically.

    Args:
        rng: source of chance.
        size: side of the picture, pixels.
        strength: spread of the shift, pixels at a side of 112.
        stretch: spread of the change in width.
    """
    grid = rng.normal(0, strength * size / 112, (5, 5, 2)).astype(np.float32)
    field = np.asarray(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    field = np.float32(0.65) * (field + field[:, ::-1] * np.array([-1, 1], np.float32))
    x, y = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    wider = np.float32(rng.normal(0, stretch))
    coarse, fine = cv2.convertMaps(
        x + field[..., 0] + (x - x.mean()) * wider, y + field[..., 1], cv2.CV_16SC2
    )
    return np.asarray(coarse, np.int16), np.asarray(fine, np.uint16)


@lru_cache(maxsize=1024)
def _identity_map(seed: int, size: int, strength: float) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    return smooth_warp(np.random.default_rng([seed, size]), size, strength)


def other_identity(picture: Picture, seed: int, strength: float = 2.2) -> Picture:
    """Make another person of an aligned face by a smooth, nearly symmetric warp of its proportions.

    Args:
        picture: square RGB uint8.
        seed: names the other person; the same seed warps every picture alike.
        strength: spread of the warp, pixels at a side of 112.
    """
    coarse, fine = _identity_map(seed, picture.shape[0], strength)
    warped = cv2.remap(picture, coarse, fine, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)

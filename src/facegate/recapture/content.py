"""Pictures of nothing in particular, with the statistics of natural ones: what a medium detector is trained on.

A network that sees re-captured faces only learns the faces. Dead leaves (occluding shapes whose sizes follow a
power law) give edges at every scale, 1/f fields give texture and light; neither shows anything that could be learnt
by heart. The same scene is taken by a camera at once and by way of every medium, so that the medium is all that differs.

Papers: Lee, Mumford & Huang, *Occlusion models for natural images*, IJCV 2001; Ruderman & Bialek, *Statistics of natural
images*, Physical Review Letters 1994.
"""

import cv2
import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import SENSOR_SCALE, capture, sample_camera, sample_portrait_camera
from facegate.recapture.imaging import Bytes, Floats, blur, resize, to_linear
from facegate.recapture.media import SCREENS, Recapture, recapture

FLAT = (AttackSpecies.PRINT, *SCREENS)
"""Media that carry any picture."""
PHOTOGRAPH_SIZE = 256
LEAVES = (250, 700)
"""Fewest and most shapes of a scene."""
SMALLEST, LARGEST = 0.015, (0.2, 0.5)
"""Radii relative to the scene's side: the smallest, and the range of the largest."""


def scene(rng: np.random.Generator, size: int) -> Floats:
    """Linear RGB of shape (size, size, 3), 0 to about 1.5: dead leaves with texture under uneven light."""
    picture = dead_leaves(rng, size)
    texture = pink_noise(rng, size, 3) * rng.uniform(0.03, 0.2)
    texture = texture.mean(2, keepdims=True) * 0.7 + texture * 0.3
    light = cv2.resize(rng.standard_normal((3, 3), np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    picture = picture * np.exp(texture + rng.uniform(0.05, 0.5) * light[..., None])
    return np.asarray(
        np.clip(blur(picture, float(rng.exponential(0.7)) * size / 320), 0.003, 1.5), np.float32
    )


def dead_leaves(rng: np.random.Generator, size: int) -> Floats:
    """Overlapping ellipses and polygons, radius density proportional to r⁻³; linear RGB (size, size, 3)."""
    picture = np.empty((size, size, 3), np.float32)
    picture[:] = _paint(rng)
    count = int(rng.integers(*LEAVES))
    smallest, largest = SMALLEST * size, rng.uniform(*LARGEST) * size
    chance = rng.random(count)
    radii = (chance / largest**2 + (1 - chance) / smallest**2) ** -0.5
    for radius in np.sort(radii)[::-1] if rng.random() < 0.5 else radii:
        _leaf(picture, rng, float(radius), size)
    return picture


def _leaf(picture: Floats, rng: np.random.Generator, radius: float, size: int) -> None:
    x, y = (int(v) for v in rng.uniform(-0.05 * size, 1.05 * size, 2) * 16)
    colour = tuple(float(v) for v in _paint(rng))
    if rng.random() < 0.6:
        axes = (max(1, int(radius * 16)), max(1, int(radius * rng.uniform(0.3, 1) * 16)))
        cv2.ellipse(picture, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_8, 4)
        return
    corners = int(rng.integers(3, 7))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    ring = radius * 16 * np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(0.6, 1, (corners, 1))
    cv2.fillPoly(picture, [(ring + np.array([x, y])).astype(np.int32)], colour, cv2.LINE_8, 4)


def _paint(rng: np.random.Generator) -> Floats:
    """A surface colour: log-uniform in lightness, rarely saturated."""
    colour = np.exp(rng.uniform(np.log(0.03), np.log(0.9))) * np.exp(rng.normal(0, 0.28, 3))
    return colour.astype(np.float32)


def pink_noise(rng: np.random.Generator, size: int, channels: int) -> Floats:
    """A random field whose amplitude falls with the spatial frequency; unit variance, (size, size, channels)."""
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    frequency = np.maximum(np.hypot(rows, columns), 1 / size)
    white = np.fft.rfft2(rng.standard_normal((channels, size, size)))
    field = np.fft.irfft2(white * frequency ** -rng.uniform(0.8, 1.3), s=(size, size))
    field -= field.mean((1, 2), keepdims=True)
    field /= field.std((1, 2), keepdims=True)
    return field.transpose(1, 2, 0).astype(np.float32)


def mixed(below: Floats, above: Floats, rng: np.random.Generator) -> Floats:
    """Two scenes of one size in soft patches, so that few photographs give many."""
    size = len(below)
    mask = cv2.resize(rng.standard_normal((5, 5), np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    share = (1 + np.tanh(mask[..., None] * rng.uniform(2, 20))) / 2
    return np.asarray(below * share + above * (1 - share), np.float32)


def taken_at_once(content: Floats, rng: np.random.Generator, size: int) -> tuple[Bytes, str]:
    """The scene before a camera: RGB (size, size, 3) and the camera's name."""
    camera = sample_camera(rng)
    return capture(_part(content, rng, SENSOR_SCALE * size), camera, rng, size), camera.name


def taken_again(content: Floats, species: AttackSpecies, rng: np.random.Generator, size: int) -> Recapture:
    """The scene by way of a photograph of it on paper or on a screen.

    Raises:
        ValueError: the species is not a flat medium.
    """
    photograph = capture(content, sample_portrait_camera(rng), rng, PHOTOGRAPH_SIZE)
    return recapture(photograph, None, species, rng, size)


def from_photograph(photograph: Bytes, rng: np.random.Generator, size: int) -> Floats:
    """A square part of a photograph as a scene, shrunk so far that its own camera leaves no trace; linear RGB."""
    height, width = photograph.shape[:2]
    side = int(min(height, width) * rng.uniform(0.75, 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = photograph[top : top + side, left : left + side][:, :: int(rng.choice((-1, 1)))]
    return np.asarray(resize(to_linear(np.ascontiguousarray(part)), size, size), np.float32)


def _part(content: Floats, rng: np.random.Generator, cells: int) -> Floats:
    """A part of the scene as a camera frames it."""
    side = int(len(content) * rng.uniform(0.65, 1))
    top, left = (int(v) for v in rng.integers(len(content) - side + 1, size=2))
    return resize(np.ascontiguousarray(content[top : top + side, left : left + side]), cells, cells)

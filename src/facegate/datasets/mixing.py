"""Other faces out of aligned faces: warped, mixed region by region, sharpened, with skin texture.

What they show is nobody in particular, which is all that a teacher's embedding needs: the wider the spread of faces, the
more of the teacher's knowledge a student can learn from few rendered people. Each function takes and returns RGB
uint8 of shape (H, W, 3), aligned to the five-point template, and leaves its arguments alone.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.datasets.effects import smooth_warp

Picture = NDArray[np.uint8]

WARPED, MIXED, BLENDED, SHARPENED, TEXTURED = 0.65, 0.4, 0.2, 0.3, 0.3
"""Shares of faces that are warped, mixed by region, blended as a whole, sharpened, and given a skin texture."""


def other_face(faces: NDArray[np.uint8], rng: np.random.Generator) -> Picture:
    """A new face out of one or two faces drawn from `faces`, shape (N, H, W, 3)."""
    face = _one_of(faces, rng)
    kind = rng.random()
    if kind < BLENDED:
        share = rng.uniform(0.25, 0.75)
        face = _uint8(cv2.addWeighted(face, share, _one_of(faces, rng), 1 - share, 0))
    elif kind < BLENDED + MIXED:
        face = mix_regions(face, _one_of(faces, rng), rng)
    if rng.random() < SHARPENED:
        face = sharpen(face, rng)
    if rng.random() < TEXTURED:
        face = skin_texture(face, rng)
    return face


def _one_of(faces: NDArray[np.uint8], rng: np.random.Generator) -> Picture:
    face = faces[rng.integers(len(faces))]
    face = face[:, ::-1] if rng.random() < 0.5 else face
    return warp(face, rng) if rng.random() < WARPED else face


def warp(face: Picture, rng: np.random.Generator) -> Picture:
    """Other proportions: a smooth, nearly symmetric warp and a stretch, of random strength."""
    coarse, fine = smooth_warp(rng, face.shape[0], rng.uniform(0.8, 4.0), stretch=0.06)
    return _uint8(cv2.remap(face, coarse, fine, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def mix_regions(face: Picture, other: Picture, rng: np.random.Generator) -> Picture:
    """Another's eyes, nose, mouth or outline in a face, over soft seams, mostly in the face's own tone."""
    height, width = face.shape[:2]
    mask = cv2.resize(rng.standard_normal((4, 4), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.7:
        mask = (mask + mask[:, ::-1]) / 2
    mask = (1 / (1 + np.exp(-mask * rng.uniform(2, 6))))[..., None]
    if rng.random() < 0.2:  # beyond either face
        mask = mask * 1.5 - 0.2
    second = other.astype(np.float32)
    if rng.random() < 0.7:
        middle = np.s_[height // 3 : -height // 8, width // 3 : -width // 3]
        second += face[middle].mean((0, 1)) - second[middle].mean((0, 1))
    return _uint8(np.clip(face * mask + second * (1 - mask), 0, 255))


def sharpen(face: Picture, rng: np.random.Generator) -> Picture:
    """More local contrast, as photographs have it."""
    blurred = cv2.GaussianBlur(face, (0, 0), rng.uniform(1, 4))
    gain = rng.uniform(0.3, 1.5)
    return _uint8(cv2.addWeighted(face, 1 + gain, blurred, -gain, 0))


def skin_texture(face: Picture, rng: np.random.Generator) -> Picture:
    """Band-passed noise of 3 to 14 grey levels, as pores and wrinkles have."""
    grain = cv2.GaussianBlur(rng.standard_normal(face.shape[:2], np.float32), (0, 0), rng.uniform(0.7, 3))
    grain *= rng.uniform(3, 14) / grain.std()
    return _uint8(cv2.add(face, cv2.merge([grain] * 3), dtype=cv2.CV_8U))


def _uint8(picture: object) -> Picture:
    return np.asarray(picture).astype(np.uint8)

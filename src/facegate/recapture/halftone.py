"""Halftones: how a printer that knows only ink and no ink makes a tone.

A halftone is a tile of thresholds, repeated over the sheet: where the wanted coverage exceeds the threshold
there is ink. Thresholds are spread evenly over 0 to 1, so that the mean tone is kept and only the dots are
added. Screens of different kinds leave different traces, so each is a variant that a protocol can leave out.
"""

import functools
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.recapture.imaging import Floats, blur

Screen = Literal["clustered", "line", "stochastic", "ordered", "contone"]
SCREENS: tuple[Screen, ...] = get_args(Screen)
"""Amplitude-modulated dots, lines, error-diffusion-like dots, a dispersed 8 × 8 dither, and no dots at all."""

_ANGLES = {
    "clustered": (0.262, 1.309, 0.0),  # 15, 75 and 0 degrees: the classical cyan, magenta and yellow
    "line": (0.785, 1.309, 0.262),
    "stochastic": (0.0, 0.0, 0.0),
    "ordered": (0.0, 0.0, 0.0),
}


@dataclass(frozen=True)
class Halftone:
    """A screen with its fineness.

    Attributes:
        screen: kind of screen.
        pitch: cells of a clustered or line screen, dots of the others, per photo unit.
        strength: 0 prints continuous tones, 1 dots of full density.
        sharpness: steepness of a dot's edge; 2 soft, 8 hard.
        angle: rotation of the whole screen, radians.
        seed: of the stochastic tile.
    """

    screen: Screen
    pitch: float
    strength: float
    sharpness: float
    angle: float
    seed: int


def apply_halftone(tone: Floats, u: Floats, v: Floats, step: float, halftone: Halftone) -> Floats:
    """Print a tone in dots.

    Args:
        tone: wanted reflectance (H, W, 3), 0 ink to 1 paper.
        u: position of each ray across the sheet, photo units.
        v: position down.
        step: distance between rays, photo units; dots finer than it fade as a sensor cell averages them.
        halftone: the screen.

    Returns:
        Reflectance (H, W, 3), 0 to 1.
    """
    strength = halftone.strength * resolved(halftone, step)
    if halftone.screen == "contone" or strength < 0.01:
        return tone
    tile = threshold_tile(halftone.screen, halftone.seed)
    planes = []
    for channel, angle in enumerate(_ANGLES[halftone.screen]):
        cells = halftone.pitch * (1 if halftone.screen in ("stochastic", "ordered") else tile.shape[0])
        cos, sin = np.cos(angle + halftone.angle) * cells, np.sin(angle + halftone.angle) * cells
        column = np.floor(u * np.float32(cos) - v * np.float32(sin)).astype(np.int32) + 11 * channel
        row = np.floor(u * np.float32(sin) + v * np.float32(cos)).astype(np.int32) + 5 * channel
        size = tile.shape[0]
        row &= size - 1
        row *= size
        row += column & (size - 1)
        threshold = tile.take(row, mode="clip")
        wanted = np.ascontiguousarray(tone[..., channel])
        planes.append(_dots(wanted, threshold, np.float32(strength), np.float32(halftone.sharpness)))
    return np.asarray(cv2.merge(planes), np.float32)


def _dots(wanted: Floats, threshold: Floats, strength: np.float32, edge: np.float32) -> Floats:
    """One channel printed: ink where the wanted tone is below the threshold (H, W)."""
    square = np.square(2 * wanted - 1)
    dots = square * square
    dots *= square
    dots /= edge
    dots += 1
    dots *= wanted - np.float32(0.5)
    dots += np.float32(0.5)  # where it aims: white stays bare, black full
    dots -= threshold
    dots *= edge
    dots += np.float32(0.5)
    np.clip(dots, 0, 1, out=dots)
    dots -= wanted
    dots *= strength
    dots += wanted
    return dots


def resolved(halftone: Halftone, step: float) -> float:
    """Share of the dots' contrast that survives the averaging over one sensor cell, 0 to 1."""
    per_cell = halftone.pitch * step
    if halftone.screen in ("clustered", "line"):
        return float(abs(np.sinc(per_cell)))
    return 1 / max(1.0, per_cell)


@functools.lru_cache(maxsize=8)
def threshold_tile(screen: Screen, seed: int = 0) -> Floats:
    """One period of a screen: thresholds evenly spread over 0 to 1; the side is a power of two."""
    if screen == "ordered":
        return _evenly_ranked(_dispersed(3))
    if screen == "stochastic":
        noise = np.random.default_rng(seed).standard_normal((64, 64)).astype(np.float32)
        return _evenly_ranked(noise - _wrapped_blur(noise, 1.2))
    phase = 2 * np.pi * (np.arange(32) + 0.5) / 32
    rows = np.cos(phase)[:, None] if screen == "clustered" else np.zeros((32, 1))
    dither = 1e-3 * np.random.default_rng(1).standard_normal((32, 32))
    return _evenly_ranked(np.cos(phase) + rows + dither)


def _evenly_ranked(values: NDArray[np.floating]) -> Floats:
    ranks = np.empty(values.size)
    ranks[np.argsort(values, axis=None, kind="stable")] = np.arange(values.size)
    return ((ranks + 0.5) / values.size).reshape(values.shape).astype(np.float32)


def _wrapped_blur(tile: Floats, sigma: float) -> Floats:
    side = tile.shape[0]
    return blur(np.tile(tile, (3, 3)), sigma)[side : 2 * side, side : 2 * side]


def _dispersed(order: int) -> NDArray[np.float64]:
    """Bayer's recursive dither matrix of side 2**order (B. E. Bayer, ICC 1973)."""
    matrix = np.zeros((1, 1))
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return matrix

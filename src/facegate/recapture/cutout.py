"""A printed face with holes for the eyes, and a live person's eyes behind them."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.recapture.imaging import LUMA, Bytes, Floats, blur, mix, spread, to_linear

RING = 1.6
"""Blur of a hole that its cut edge shows in, pixels."""


@dataclass(frozen=True)
class Cutout:
    """Two holes cut with scissors.

    Attributes:
        half: half width and half height of a hole, in distances between the eyes.
        corners: irregular outline as relative radii around the hole, (2, 24).
        offset: how far the wearer's eyes sit off the holes' centres, in distances between the eyes.
        depth: how dark the eyes are behind the sheet, 0 to 1.
        rim: brightness of the cut edge relative to the sheet; negative for a dark edge.
        colour: saturation of the wearer's eyes in the shade behind the sheet, 0 to 1.
    """

    half: tuple[float, float]
    corners: Floats
    offset: tuple[float, float]
    depth: float
    rim: float
    colour: float


def sample_cutout(rng: np.random.Generator) -> Cutout:
    """Draw how the holes were cut."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    phases = rng.uniform(0, 2 * np.pi, (2, 3, 1))
    strengths = rng.uniform(0, 0.09, (2, 3, 1))
    waves = np.arange(2, 5)[None, :, None] * angles + phases
    wobble = (strengths * np.sin(waves)).sum(axis=1)
    return Cutout(
        half=(float(rng.uniform(0.22, 0.31)), float(rng.uniform(0.1, 0.17))),
        corners=(1 + wobble).astype(np.float32),
        offset=(float(rng.normal(0, 0.02)), float(rng.normal(0, 0.02))),
        depth=float(rng.uniform(0.15, 0.6)),
        rim=float(rng.uniform(-0.35, 0.5)),
        colour=float(rng.uniform(0.45, 0.95)),
    )


def cut_eyes(scene: Floats, eyes: Floats, wearer: Bytes, wearer_eyes: Floats, cut: Cutout) -> Floats:
    """Cut the eyes out of a scene and put the wearer's behind it.

    Args:
        scene: linear RGB (H, W, 3) with the printed face.
        eyes: centres of the right and left eye in the scene, pixels, (2, 2).
        wearer: picture of the person behind the sheet, uint8 RGB.
        wearer_eyes: their eyes in that picture, pixels, (2, 2).
        cut: how the holes were cut.

    Returns:
        Linear RGB (H, W, 3).
    """
    hole = _holes(scene.shape[:2], eyes, cut)
    distance = float(np.linalg.norm(eyes[0] - eyes[1]))
    softness = max(0.35 * cut.half[1] * distance, 0.5)
    left, top, right, bottom = _around(hole, math.ceil(4 * max(softness, RING)))
    window, corner = np.s_[top:bottom, left:right], np.array([left, top], np.float32)
    out = np.maximum(scene, 0)
    if right > left:
        behind = _behind((bottom - top, right - left), eyes - corner, wearer, wearer_eyes, cut)
        out[window] = _open(scene[window], behind, hole[window], softness, cut)
    return out


def _around(hole: Floats, margin: int) -> tuple[int, int, int, int]:
    """Box (left, top, right, bottom) around the holes, pixels; beyond it nothing changes."""
    x, y, wide, tall = cv2.boundingRect((hole > 0).astype(np.uint8))
    if not wide:
        return 0, 0, 0, 0
    height, width = hole.shape
    return (
        max(x - margin, 0),
        max(y - margin, 0),
        min(x + wide + margin, width),
        min(y + tall + margin, height),
    )


def _open(scene: Floats, behind: Floats, hole: Floats, softness: float, cut: Cutout) -> Floats:
    """The sheet with its holes, their cut edges, and who is behind it in its shade (H, W, 3)."""
    soft = blur(hole, softness)
    shade = _matched_level(scene, behind, hole) * (1 - cut.depth * (1.6 - soft))
    ring = np.clip(blur(hole, RING) * 2, 0, 1) * (1 - hole)
    sheet = scene * spread(1 + np.float32(cut.rim) * ring * (ring > 0.2))
    return np.maximum(mix(sheet, behind * spread(shade), blur(hole, 0.8)), 0)


def _behind(shape: tuple[int, ...], eyes: Floats, wearer: Bytes, wearer_eyes: Floats, cut: Cutout) -> Floats:
    distance = float(np.linalg.norm(eyes[0] - eyes[1]))
    target = eyes + distance * np.array(cut.offset)
    ours, theirs = _as_complex(target), _as_complex(wearer_eyes)
    turn = (ours[1] - ours[0]) / (theirs[1] - theirs[0])
    shift = ours[0] - turn * theirs[0]
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    warped = cv2.warpAffine(
        to_linear(wearer),
        matrix,
        (shape[1], shape[0]),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    light = np.maximum(np.asarray(warped, np.float32), 0)
    return light + np.float32(1 - cut.colour) * (spread(light @ LUMA) - light)


def _as_complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[:, 0].astype(np.float64) + 1j * points[:, 1]


def _holes(shape: tuple[int, ...], eyes: Floats, cut: Cutout) -> Floats:
    mask = np.zeros(shape[:2], np.uint8)
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    angles = np.linspace(0, 2 * np.pi, cut.corners.shape[1], endpoint=False)
    for eye, radii in zip(eyes, cut.corners, strict=True):
        x, y = cut.half[0] * radii * np.cos(angles), cut.half[1] * radii * np.sin(angles)
        outline = eye + x[:, None] * across + y[:, None] * down
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def _matched_level(scene: Floats, behind: Floats, hole: Floats) -> float:
    """The same light falls on sheet and wearer: equal brightness around the holes, within limits."""
    inside = hole > 0.5
    if not inside.any():
        return 1.0
    ratio = float((scene[inside] @ LUMA).mean() / max((behind[inside] @ LUMA).mean(), 1e-3))
    return float(np.clip(ratio, 0.4, 2.0))

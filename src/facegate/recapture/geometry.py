"""How a flat medium stands before the camera: placement, rays, and where landmarks go.

Two coordinate systems: *photo units* measure both axes of the photograph in its widths, with the origin at
its upper left corner; *frame units* do the same with the camera's picture. Both are free of resolution.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.recapture.imaging import Floats

FACE_MARGIN = 1.25
"""Half side of the square that must stay in view, in distances between eyes and mouth."""


@dataclass(frozen=True)
class Placement:
    """Pose of a sheet or screen before the camera.

    Attributes:
        anchor: point of the photograph, photo units.
        target: where the anchor appears, frame units.
        scale: frame units per photo unit at the anchor.
        roll: rotation in the picture plane, radians.
        tilt: turn about the vertical and the horizontal axis, radians.
        bend: curvature of a sheet; 0 is flat, about 0.5 a strong bend.
        bend_angle: direction across the bend, radians; 0 bends about a vertical axis.
    """

    anchor: tuple[float, float]
    target: tuple[float, float]
    scale: float
    roll: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    bend: float = 0.0
    bend_angle: float = 0.0

    def matrix(self) -> NDArray[np.float64]:
        """Homography from photo units to frame units, without the bend."""
        cos, sin = np.cos(self.roll) * self.scale, np.sin(self.roll) * self.scale
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        tilt_x, tilt_y = self.tilt
        tilt = np.diag([np.cos(tilt_x), np.cos(tilt_y), 1.0])
        tilt[2, :2] = np.sin(tilt_x), np.sin(tilt_y)
        return _shift(*self.target) @ tilt @ turn @ _shift(-self.anchor[0], -self.anchor[1])


@dataclass(frozen=True)
class Rays:
    """Where each sensor cell looks: positions on the photograph, and the slope of the sheet there.

    Attributes:
        u: position across, photo units, (H, W).
        v: position down, photo units, (H, W).
        slope: slope of the bent sheet, about -0.5 to 0.5, (H, W); zero if it is flat.
        step: distance between neighbouring rays, photo units.
    """

    u: Floats
    v: Floats
    slope: Floats
    step: float


def cast_rays(placement: Placement, height: int, width: int) -> Rays:
    """Rays of a sensor of height × width cells."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = ((np.arange(height, dtype=np.float32) + 0.5) / width)[:, None]
    (a, b, c), (d, e, f), (g, h, i) = np.linalg.inv(placement.matrix()).astype(np.float32)
    depth = 1 / (g * x + h * y + i)
    u, v, slope = _bend((a * x + b * y + c) * depth, (d * x + e * y + f) * depth, placement)
    return Rays(u, v, slope, step=1 / (width * placement.scale))


def project(points: NDArray[np.floating], placement: Placement) -> Floats:
    """Frame units of points (n, 2) given in photo units, the bend included."""
    flat = np.asarray(points, np.float64)
    for _ in range(4 if placement.bend else 0):
        u, v, _ = _bend(flat[:, 0], flat[:, 1], placement)
        flat = flat + points - np.stack([u, v], axis=1)
    image = np.column_stack([flat, np.ones(len(flat))]) @ placement.matrix().T
    return (image[:, :2] / image[:, 2:]).astype(np.float32)


def to_units(pixels: NDArray[np.floating], width: int) -> Floats:
    """Units of pixel positions (pixel centres at integers) in an image `width` pixels wide."""
    return ((np.asarray(pixels, np.float32) + 0.5) / width).astype(np.float32)


def to_pixels(units: NDArray[np.floating], width: int) -> Floats:
    """Inverse of :func:`to_units`."""
    return (np.asarray(units, np.float32) * width - 0.5).astype(np.float32)


def eye_mouth_distance(landmarks: NDArray[np.floating]) -> float:
    """Distance from the middle of the eyes to the middle of the mouth, in the landmarks' unit."""
    return float(np.linalg.norm(landmarks[:2].mean(0) - landmarks[3:].mean(0)))


def visible_box(placement: Placement, aspect: float) -> tuple[float, float, float, float]:
    """Box (u0, v0, u1, v1) around what the frame shows, photo units; `aspect` is frame height / width."""
    rays = cast_rays(placement, max(round(9 * aspect), 2), 9)
    return float(rays.u.min()), float(rays.v.min()), float(rays.u.max()), float(rays.v.max())


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _bend(
    u: NDArray[Any], v: NDArray[Any], placement: Placement
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Positions on a bent sheet seen at flat positions: a parabolic trough shortens across its axis."""
    if not placement.bend:
        return u, v, np.zeros_like(u)
    cos, sin = math.cos(placement.bend_angle), math.sin(placement.bend_angle)
    across = (u - placement.anchor[0]) * cos + (v - placement.anchor[1]) * sin
    slope = 2 * placement.bend * across
    longer = across * slope * slope / 6
    return u + longer * cos, v + longer * sin, slope

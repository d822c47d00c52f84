"""How a face moves: like one plane, as a photograph does, or like a head.

Two views of a rigid plane that is small against its distance differ by an affine map. A head's nose stands out of the
plane of its eyes and mouth, so that a turn of the head leaves a residual that no affine map explains. A detector's
five points tremble by more than that; some dozens of points that are tracked from frame to frame do not. A video on a
screen carries the head's own motion, but its points tremble: they are seen through two cameras.

Three figures a frame say what kind of motion there is; none of them decides anything by itself.

Papers: Koenderink & van Doorn, *Affine structure from motion*, JOSA A 1991; Lucas & Kanade, *An iterative image
registration technique*, IJCAI 1981.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CUES = ("off_plane", "parallax", "kept")
"""Columns of :func:`motion_cues`."""
POINTS = 80
"""Most points that are tracked."""
FEWEST = 12
"""A frame in which fewer points are found again says nothing: its figures are zero."""
_GAINS = np.array([40.0, 30.0, 1.0])
"""Bring each figure to about 0 to 1."""
_ACROSS, _DOWN = 0.243, 0.304
"""Half axes of the ellipse in which points are sought, shares of the crop's side: the face without its outline."""
_NOSE, _RELIEF = (0.5, 0.55), 0.09
"""Where the nose stands in a context crop, and how far it spreads, shares of the crop's side."""
_UNIT = 0.3
"""The size in which residuals are told, share of the crop's side: about the distance between the eyes."""
_RETURN = 0.5
"""A point counts as found again if tracking it back ends this near to where it began, pixels."""
_FLOW: dict[str, Any] = {"winSize": (13, 13), "maxLevel": 2}


def motion_cues(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How each frame's points differ from those of the frame in the middle.

    Args:
        frames: context crops, RGB, shape (count, size, size, 3).

    Returns:
        Shape (count, 3), each 0 to 1, columns :data:`CUES`: root mean square distance from the best affine image of
        the middle frame's points (0 for a plane); how far the region of the nose moves against it; share of the
        points that were found again. All zero where there is too little to track.
    """
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    middle, size = grey[len(grey) // 2], frames.shape[1]
    points = cv2.goodFeaturesToTrack(middle, POINTS, 0.01, 5, mask=_face(size))
    if points is None or len(points) < FEWEST:
        return np.zeros((len(frames), len(CUES)), np.float32)
    corners = points.astype(np.float32)
    start = points[:, 0].astype(np.float64)
    figures = [_figures(start, *_tracked(middle, frame, corners), size) for frame in grey]
    return np.clip(np.array(figures) * _GAINS, 0, 1).astype(np.float32)


def _face(size: int) -> NDArray[np.uint8]:
    mask = np.zeros((size, size), np.uint8)
    axes = (int(_ACROSS * size), int(_DOWN * size))
    return np.asarray(cv2.ellipse(mask, (size // 2, size // 2), axes, 0, 0, 360, 255, -1), np.uint8)


def _tracked(
    first: NDArray[np.uint8], second: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where points of the first picture are in the second, and which of them were found there."""
    flow: Any = cv2.calcOpticalFlowPyrLK
    there, _, _ = flow(first, second, points, None, **_FLOW)
    back, _, _ = flow(second, first, there, None, **_FLOW)
    found = np.linalg.norm((back - points)[:, 0], axis=1) < _RETURN
    return there[:, 0].astype(np.float64), found


def _figures(
    start: NDArray[np.float64], places: NDArray[np.float64], found: NDArray[np.bool_], size: int
) -> tuple[float, float, float]:
    """The figures of one frame: off-plane and parallax in units, share of points kept."""
    rows = np.flatnonzero(found)
    if len(rows) < FEWEST:
        return 0.0, 0.0, 0.0
    for _ in range(2):
        lengths = np.linalg.norm(off_plane(start[rows], places[rows]), axis=1)
        kept = rows[lengths <= max(3 * float(np.median(lengths)), 0.3)]
        rows = kept if len(kept) >= FEWEST else rows
    residual = off_plane(start[rows], places[rows])
    relief = np.exp(-(((start - np.multiply(_NOSE, size)) / (_RELIEF * size)) ** 2).sum(axis=1) / 2)
    outstanding = off_plane(start[rows], relief[rows, None])
    moved = (outstanding * residual).sum(axis=0) / max(float((outstanding**2).sum()), 1e-6)
    spread = float(np.sqrt((residual**2).sum(axis=1).mean()))
    unit = _UNIT * size
    return spread / unit, float(np.hypot(*moved)) / unit, len(rows) / POINTS


def off_plane(start: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What of `values` (n, k) at points (n, 2) no affine function of the points explains (least squares)."""
    plane = np.column_stack([start, np.ones(len(start))])
    return values - plane @ (np.linalg.pinv(plane) @ values)

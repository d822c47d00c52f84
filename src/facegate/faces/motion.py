"""How a face moves: like one plane, as a photograph does, or like a head.

Two views of a rigid plane that is small against its distance differ by an affine map. A head's nose stands out of
the plane of its eyes and mouth, so that a turn of the head leaves a residual that no affine map explains. Three
figures a frame say how much there is to see and what kind it is; none of them decides anything by itself, for a
video on a screen carries the head's own motion, and a head that keeps still carries none.

Background: Koenderink & van Doorn, *Affine structure from motion*, JOSA A 1991.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.errors import PictureError
from facegate.faces.align import similarity
from facegate.faces.eyes import face_unit

CUES = ("off_plane", "nose", "turn")
"""Columns of :func:`motion_cues`."""
_GAINS = np.array([8.0, 6.0, 4.0])
"""Bring each figure, in sizes of the face, to about -1 to 1."""
_OTHERS = [0, 1, 3, 4]
_NOSE = 2


def affine(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine map that best brings one point set onto another (least squares), shape (3, 2): ``[x y 1] @ map``."""
    homogeneous = np.column_stack([source, np.ones(len(source))])
    return np.linalg.pinv(homogeneous) @ target


def motion_cues(landmarks: ArrayLike) -> NDArray[np.float32]:
    """How each frame's landmarks differ from the clip's mean shape.

    Args:
        landmarks: shape (frames, 5, 2), pixels; at least one frame.

    Returns:
        Shape (frames, 3), each -1 to 1, columns :data:`CUES`: distance from the best affine image of the mean
        shape (0 for a plane); sideways offset of the nose from where the other four points put it; change of
        the shape that no shift, turn or zoom in the picture explains. All zero where nothing moves.

    Raises:
        PictureError: the landmarks of a frame coincide or are not finite.
    """
    points = np.asarray(landmarks, np.float64)
    shapes = _normalised(points)
    mean = shapes.mean(axis=0)
    figures = np.empty((len(points), len(CUES)))
    for row, shape in zip(figures, shapes, strict=True):
        residual = shape - _apply(affine(mean, shape), mean)
        nose = shape[_NOSE] - _apply(affine(mean[_OTHERS], shape[_OTHERS]), mean)[_NOSE]
        row[:] = _rms(residual), nose[0], _rms(shape - mean)
    return np.clip(figures * _GAINS, -1, 1).astype(np.float32)


def _normalised(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """All frames brought onto the first by shift, turn and zoom, in sizes of its face."""
    if not np.isfinite(points).all():
        raise PictureError("the landmarks of a face are not finite", "use another picture")
    unit = face_unit(points[0])
    if unit < 1e-6:
        raise PictureError("the landmarks of a face coincide", "use another picture")
    first = (points[0] - points[0].mean(axis=0)) / unit
    moved = (np.column_stack([shape, np.ones(5)]) @ similarity(shape, first).T for shape in points)
    return np.stack(list(moved))


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([points, np.ones(len(points))]) @ matrix


def _rms(offsets: NDArray[np.float64]) -> float:
    return float(np.sqrt((offsets**2).sum(axis=1).mean()))

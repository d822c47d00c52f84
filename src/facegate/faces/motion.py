"""How a face moves: like one plane, as a photograph does, or like a head.

Two views of a rigid plane that is small against its distance differ by an affine map. A head's nose stands out of
the plane of its eyes and mouth, so that a turn of the head leaves a residual that no affine map explains. Three
figures a frame say how much there is to see and what kind it is; none of them decides anything by itself, for a
video on a screen carries the head's own motion, and a head that keeps still carries none.

Background: Koenderink & van Doorn, *Affine structure from motion*, JOSA A 1991.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.errors import PictureError
from facegate.faces.eyes import face_unit

CUES = ("off_plane", "nose", "turn")
"""Columns of :func:`motion_cues`."""
_GAINS = np.array([8.0, 6.0, 4.0])
"""Bring each figure, in sizes of the face, to about -1 to 1."""
_OTHERS = [0, 1, 3, 4]
_NOSE = 2


def affine_hat(points: NDArray[np.float64], known: Sequence[int] | None = None) -> NDArray[np.float64]:
    """Matrix that gives every point's place under the best affine map (least squares) of a set of points.

    Args:
        points: the set, shape (n, 2).
        known: points that the map is fitted to; all by default.

    Returns:
        Shape (n, k): times the k known points' new places it is all n points' places under the map.
    """
    homogeneous = np.column_stack([points, np.ones(len(points))])
    fitted = homogeneous if known is None else homogeneous[list(known)]
    return homogeneous @ np.linalg.pinv(fitted)


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
    residual = shapes - affine_hat(mean) @ shapes
    nose = shapes[:, _NOSE] - (affine_hat(mean, _OTHERS) @ shapes[:, _OTHERS])[:, _NOSE]
    figures = np.stack([_rms(residual), nose[:, 0], _rms(shapes - mean)], axis=1)
    return np.clip(figures * _GAINS, -1, 1).astype(np.float32)


def _normalised(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """All frames brought onto the first by shift, turn and zoom (least squares), in sizes of its face."""
    if not np.isfinite(points).all():
        raise PictureError("the landmarks of a face are not finite", "use another picture")
    unit = face_unit(points[0])
    centred = points - points.mean(axis=1, keepdims=True)
    places = centred[..., 0] + 1j * centred[..., 1]
    spread = (np.abs(places) ** 2).sum(axis=1)
    if unit < 1e-6 or spread.min() < 1e-12:
        raise PictureError("the landmarks of a face coincide", "use another picture")
    turns = (np.conj(places) * places[0]).sum(axis=1) / spread
    moved = places * turns[:, None] / unit
    return np.stack([moved.real, moved.imag], axis=-1)


def _rms(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square length over the points of each frame."""
    return np.sqrt((offsets**2).sum(axis=-1).mean(axis=-1))

"""Where the eyes are, cut out one by one: what an open-or-closed network looks at.

A crop is as large as a fixed share of the face, which is measured from eye to eye or, where the head is turned
away, from eyes to mouth. It lies level with the eyes, and the left eye is mirrored, so that both look alike to
a network.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.errors import PictureError
from facegate.faces.align import warp

SIDES = ("right", "left")
"""Order of the two crops; the person's own sides, as in ``LANDMARK_NAMES``."""
EYE_SIZE = 32
"""Side of an eye crop, pixels."""
EYE_FACTOR = 0.8
"""Side of an eye crop / size of the face, see :func:`face_unit`."""
DROP = 0.06
"""How far below the landmark the crop's centre lies, in sizes of the face: detectors place eyes too high."""
_EYES_TO_MOUTH = 0.87
"""Distance between the eyes / distance from eyes to mouth, of a face seen from the front."""


def face_unit(landmarks: ArrayLike) -> float:
    """Size of a face, pixels: the distance between its eyes as it would be seen from the front.

    Args:
        landmarks: shape (5, 2), pixels.
    """
    points = np.asarray(landmarks, np.float64)
    across = points[1] - points[0]
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return float(max(np.hypot(*across), _EYES_TO_MOUTH * np.hypot(*down)))


def eye_crops(
    rgb: NDArray[np.uint8], landmarks: ArrayLike, size: int = EYE_SIZE, factor: float = EYE_FACTOR
) -> NDArray[np.uint8]:
    """Cut out both eyes of a face.

    Args:
        rgb: picture, shape (height, width, 3).
        landmarks: shape (5, 2), pixels.
        size: side of a crop, pixels.
        factor: side of a crop / size of the face.

    Returns:
        RGB, shape (2, size, size, 3), order :data:`SIDES`, the left eye mirrored; edges repeated.

    Raises:
        PictureError: the landmarks coincide or are not finite.
    """
    points = np.asarray(landmarks, np.float64)
    unit = face_unit(points) if np.isfinite(points).all() else 0.0
    if not 1e-3 < unit < 1e6:
        raise PictureError("the landmarks of a face coincide or are not finite", "use another picture")
    scale = size / (factor * unit)
    level = points[1] - points[0]
    down = np.array([-level[1], level[0]]) / max(float(np.hypot(*level)), 1e-6)
    turn = float(np.degrees(np.arctan2(level[1], level[0])))
    right, left = (
        warp(rgb, _window(points[i] + DROP * unit * down, turn, scale, size), size) for i in (0, 1)
    )
    return np.stack([right, left[:, ::-1]])


def _window(centre: NDArray[np.float64], turn: float, scale: float, size: int) -> NDArray[np.float64]:
    """Matrix (2, 3) that brings `centre` to the middle of the crop, `turn` degrees to level."""
    x, y = centre.tolist()
    matrix = np.asarray(cv2.getRotationMatrix2D((x, y), turn, scale), np.float64)
    matrix[:, 2] += (size - 1) / 2 - centre
    return matrix

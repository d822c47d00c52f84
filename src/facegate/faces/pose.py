"""Which way a head is turned, from five landmarks alone.

A mean face of five points is fitted by scaled orthographic projection. Only the nose stands out of the face's
plane, so the angles are good to some ten degrees: enough to ask a person to look into the camera.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MEAN_FACE: NDArray[np.float64] = np.array(
    [[-31.5, 0, 0], [31.5, 0, 0], [0, 40, -28], [-26, 72, -4], [26, 72, -4]], np.float64
)
"""Millimetres, order ``LANDMARK_NAMES``: x to the right of the picture, y down, z away from the camera.

The nose is where the detector puts it, at its lower edge.
"""
MEAN_FACE.setflags(write=False)
_FIT = np.linalg.pinv(MEAN_FACE - MEAN_FACE.mean(axis=0))


class Pose(NamedTuple):
    """Turn of a head, degrees.

    Attributes:
        yaw: positive towards the person's left.
        pitch: positive upwards.
        roll: positive clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


def pose(landmarks: ArrayLike) -> Pose:
    """Turn of a head.

    Args:
        landmarks: shape (5, 2), pixels, finite.

    Returns:
        Angles; all zero where the landmarks coincide.
    """
    points = np.asarray(landmarks, np.float64)
    camera = _FIT @ (points - points.mean(axis=0))
    if not np.abs(camera).max() > 0:
        return Pose(0.0, 0.0, 0.0)
    u, _, vt = np.linalg.svd(camera.T, full_matrices=False)
    across, down = u @ vt
    (ax, ay, az), (dx, dy, dz) = across.tolist(), down.tolist()
    away = (ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx)
    pitch = -math.asin(max(-1.0, min(1.0, away[1])))
    return Pose(*map(math.degrees, (math.atan2(away[0], away[2]), pitch, math.atan2(-ay, dy))))

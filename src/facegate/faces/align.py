"""Put every face into the same place: five landmarks onto a fixed template.

The template is the one that ArcFace's 112 × 112 crops made the custom of the field, so that networks trained
elsewhere can be compared on our crops.

Papers: Umeyama, *Least-squares estimation of transformation parameters between two point patterns*, PAMI
1991; Deng et al., *ArcFace*, CVPR 2019.
"""

import functools
import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.errors import PictureError

TEMPLATE_112: NDArray[np.float32] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    np.float32,
)
"""Where the landmarks lie in a 112 × 112 crop, order ``LANDMARK_NAMES``, pixel centres at integers."""
TEMPLATE_112.setflags(write=False)
TEMPLATE_NAME = "arcface-112"


@functools.lru_cache(maxsize=8)
def template(size: int) -> NDArray[np.float32]:
    """The template for a square crop of another size, shape (5, 2), read-only."""
    points = ((TEMPLATE_112 + 0.5) * (size / 112) - 0.5).astype(np.float32)
    points.setflags(write=False)
    return points


def plane(points: ArrayLike) -> list[complex]:
    """Points of shape (n, 2) as complex numbers: turning, scaling and shifting a face is then one product and one sum."""
    return [complex(x, y) for x, y in np.asarray(points, np.float64).tolist()]


def matrix_of(turn: complex, shift: complex) -> NDArray[np.float64]:
    """The map ``z → turn · z + shift`` of :func:`plane` as a matrix (2, 3)."""
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def similarity(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Rotation, uniform scale and shift that best map one point set onto another (least squares, no mirror).

    Umeyama's optimum; in the plane, with points as complex numbers, it is one division.

    Args:
        source: points, shape (n, 2), n ≥ 2.
        target: their partners, shape (n, 2).

    Returns:
        Matrix (2, 3) that maps source pixels to target pixels.

    Raises:
        PictureError: the source points coincide or are not finite.
    """
    p, q = plane(source), plane(target)
    centre_p, centre_q = sum(p) / len(p), sum(q) / len(q)
    p = [z - centre_p for z in p]
    spread = sum((z * z.conjugate()).real for z in p)
    if not 1e-12 <= spread < math.inf:
        raise PictureError("the landmarks of a face coincide or are not finite", "use another picture")
    turn = sum(z.conjugate() * (w - centre_q) for z, w in zip(p, q, strict=True)) / spread
    return matrix_of(turn, centre_q - turn * centre_p)


def align(rgb: NDArray[np.uint8], landmarks: ArrayLike, size: int = 112) -> NDArray[np.uint8]:
    """Crop a face so that its landmarks fall on the template.

    Beyond the picture its edge is repeated. Large faces are first averaged down by a whole factor, so that
    no detail aliases; the result for a face of about the crop's size is plain bilinear sampling.

    Args:
        rgb: picture, shape (height, width, 3).
        landmarks: shape (5, 2), pixels.
        size: side of the crop, pixels.

    Returns:
        RGB, shape (size, size, 3).

    Raises:
        PictureError: the landmarks coincide or are not finite.
    """
    return warp(rgb, similarity(landmarks, template(size)), size)


def warp(rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Sample a square crop through a similarity transform, without aliasing, edges repeated.

    Args:
        rgb: picture, shape (height, width, 3).
        matrix: maps picture pixels to crop pixels, shape (2, 3).
        size: side of the crop, pixels.
    """
    shrink = max(1, int(1 / math.hypot(matrix[0, 0], matrix[1, 0])))
    part, matrix = _seen(rgb, matrix, size, shrink)
    wide = cv2.cvtColor(part, cv2.COLOR_RGB2RGBA)  # OpenCV warps four channels twice as fast as three
    crop = cv2.warpAffine(wide, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB), np.uint8)


def _seen(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, shrink: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the picture that the crop sees, averaged down by a whole number, and the matrix that fits it."""
    part, (x, y) = _region(rgb, matrix, size, margin=2 * shrink)
    if shrink > 1:
        height, width = (max(1, side // shrink) for side in part.shape[:2])
        # a whole factor: OpenCV averages twenty times as fast
        part = part[: height * shrink, : width * shrink]
        zoom_y, zoom_x = part.shape[0] / height, part.shape[1] / width
        part = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        zoom_x = zoom_y = 1.0
    back = np.array([[zoom_x, 0, x + zoom_x / 2 - 0.5], [0, zoom_y, y + zoom_y / 2 - 0.5], [0, 0, 1]])
    return part, matrix @ back


def _region(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, margin: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The part of the picture that the crop sees, at least one pixel, and where it begins."""
    turn, shift = complex(matrix[0, 0], matrix[1, 0]), complex(matrix[0, 2], matrix[1, 2])
    seen = [(corner - shift) / turn for corner in (0, size, size * 1j, size * (1 + 1j))]
    height, width = rgb.shape[:2]
    left, right = _clipped([z.real for z in seen], margin, width)
    top, bottom = _clipped([z.imag for z in seen], margin, height)
    return rgb[top:bottom, left:right], (left, top)


def _clipped(seen: list[float], margin: int, end: int) -> tuple[int, int]:
    """First and last pixel, excluded, of a line that ends at ``end``: all that is seen and a margin, and at least one."""
    first = min(max(math.floor(min(seen)) - margin, 0), end - 1)
    return first, min(max(math.ceil(max(seen)) + margin, first + 1), end)

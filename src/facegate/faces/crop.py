"""What stands around a face: the square from which a spoof network judges.

A recognition crop throws away what betrays a presentation attack (paper edges, bezels, hands) and resamples
the traces of re-capture. So the context crop is taken from the picture's own pixels, upright, and then
averaged down once.
"""

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.errors import PictureError

LARGEST_SIDE = 2048
"""A larger square is averaged down by a whole factor first, which bounds the memory for any box."""
LARGEST_COORDINATE = 1e6


def native_crop(rgb: NDArray[np.uint8], box: ArrayLike, factor: float) -> NDArray[np.uint8]:
    """Cut a square around a face at the picture's own resolution, its edge repeated beyond it.

    Args:
        rgb: picture, shape (height, width, 3).
        box: face x, y, width, height, pixels.
        factor: side of the square / larger side of the box.

    Returns:
        RGB, shape (side, side, 3), side at most :data:`LARGEST_SIDE`.

    Raises:
        PictureError: the box is empty, not finite or reaches beyond a million pixels.
    """
    x, y, width, height = np.asarray(box, np.float64).tolist()
    side = factor * max(width, height)
    if not all(abs(v) < LARGEST_COORDINATE for v in (x, y, width, height, side)) or min(width, height) <= 0:
        raise PictureError("the box of a face is empty, not finite or absurdly large", "use another picture")
    shrink = math.ceil(side / LARGEST_SIDE)
    if shrink > 1:
        rgb = _shrink(rgb, shrink)
    pixels = max(1, round(side / shrink))
    left, top = (
        round(v) for v in ((x + width / 2 - side / 2) / shrink, (y + height / 2 - side / 2) / shrink)
    )
    return _cut(rgb, left, top, pixels)


def context_crop(rgb: NDArray[np.uint8], box: ArrayLike, factor: float, size: int) -> NDArray[np.uint8]:
    """Cut a square around a face and bring it to the network's size.

    Args:
        rgb: picture, shape (height, width, 3).
        box: face x, y, width, height, pixels.
        factor: side of the square / larger side of the box.
        size: side of the result, pixels.

    Returns:
        RGB, shape (size, size, 3): area-averaged where it shrinks, bilinear where it grows.

    Raises:
        PictureError: the box is empty, not finite or reaches beyond a million pixels.
    """
    return resized(native_crop(rgb, box, factor), size)


def resized(square: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bring a square picture to the network's size, averaged where it shrinks, bilinear where it grows.

    OpenCV averages by a whole number ten times as fast as by a fraction, so that a picture is enlarged to the next multiple
    of the size first.
    """
    times = math.ceil(len(square) / size)
    if times > 1:
        square = np.asarray(
            cv2.resize(square, (times * size, times * size), interpolation=cv2.INTER_LINEAR), np.uint8
        )
    how = cv2.INTER_AREA if times > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)


def _shrink(rgb: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    height, width = (max(1, side // by) for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _cut(rgb: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    inside = rgb[
        min(max(top, 0), height - 1) : max(top + side, 1), min(max(left, 0), width - 1) : max(left + side, 1)
    ]
    down, across = side - inside.shape[0], side - inside.shape[1]
    if not (down or across):
        return inside
    above, before = min(max(0, -top), down), min(max(0, -left), across)
    return np.asarray(
        cv2.copyMakeBorder(inside, above, down - above, before, across - before, cv2.BORDER_REPLICATE),
        np.uint8,
    )

"""Training crops framed anew each time: the face cut larger, smaller or beside it, from the picture's own pixels.

A crop is averaged down once, and what that leaves of the traces of a medium depends on where the pixels fall. A network that
sees one crop of a picture again and again learns that one by heart; nor does a detector put its box twice in the same place.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import nullable
from facegate.datasets.pack import Pack, decode_image
from facegate.errors import PackError
from facegate.faces.crop import context_crop

AROUND = 1.4
"""Side of what is kept / side of the crop: wide enough for a crop a tenth larger and a tenth of its side away."""
FINER = 2
"""Most pixels that are kept for one of the crop, each way."""

AROUND_COLUMNS = (
    nullable("around", "binary", "what surrounds the crop in the picture's own pixels (PNG); training only"),
    nullable("square", "list<float32>", "the crop x y side side in `around`, pixels"),
)
"""Columns that the spoof task's packs of crops and of content have beside those of any other."""


class Surroundings(NamedTuple):
    """What a crop was cut from.

    Attributes:
        image: RGB, shape (height, width, 3).
        square: the crop x y side side in it, pixels.
    """

    image: NDArray[np.uint8]
    square: NDArray[np.float32]


def around(
    picture: NDArray[np.uint8], box: ArrayLike, factor: float, size: int
) -> tuple[NDArray[np.uint8], list[float]]:
    """Cut what surrounds a context crop, no finer than :data:`FINER` pixels for one of the crop.

    Args:
        picture: RGB, shape (height, width, 3).
        box: face x y width height, pixels.
        factor: side of the crop / larger side of the box.
        size: side of the crop as a network takes it, pixels.

    Returns:
        A part of the picture, RGB, and the crop x y side side in it.
    """
    x, y, width, height = np.asarray(box, np.float64).tolist()
    side = factor * max(width, height)
    centre, limits = (x + width / 2, y + height / 2), (picture.shape[1], picture.shape[0])
    (left, right), (top, bottom) = (
        _span(middle, AROUND * side / 2, limit) for middle, limit in zip(centre, limits, strict=True)
    )
    part = picture[top:bottom, left:right]
    square = np.array([centre[0] - side / 2 - left, centre[1] - side / 2 - top, side, side])
    shrink = side / (FINER * size)
    if shrink > 1:
        rows, columns = (max(1, round(length / shrink)) for length in part.shape[:2])
        square *= np.array([columns / part.shape[1], rows / part.shape[0]] * 2)
        part = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return part, square.tolist()


def _span(middle: float, reach: float, limit: int) -> tuple[int, int]:
    start = min(max(0, math.floor(middle - reach)), limit - 1)
    return start, max(start + 1, min(limit, math.ceil(middle + reach)))


def framed(whole: Surroundings, spread: float, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the crop anew.

    Args:
        whole: what surrounds it.
        spread: of the logarithm of its scale, and twice that of its shift by its side.
        size: side of the result, pixels.
        rng: source of chance.

    Returns:
        RGB, shape (size, size, 3).
    """
    x, y, side, _ = whole.square.tolist()
    scale, across, down = (spread * rng.standard_normal(3)).tolist()
    larger = side * math.exp(scale)
    left, top = x + (side - larger + side * across) / 2, y + (side - larger + side * down) / 2
    return context_crop(whole.image, (left, top, larger, larger), 1, size)


def load_surroundings(pack: Pack, rows: NDArray[np.intp]) -> Sequence[Surroundings]:
    """What surrounds the crops of some rows, decoded: it is seen in every epoch.

    Raises:
        PackError: the pack does not hold it, or it cannot be decoded.
    """
    if not {c.name for c in AROUND_COLUMNS} <= set(pack.table.schema.names) or not len(rows):
        raise _lacking(pack)
    images, squares = (pack.column(c.name)[rows].tolist() for c in AROUND_COLUMNS)
    if any(image is None for image in images):
        raise _lacking(pack)
    name = f"{pack.path}: what surrounds a crop"
    return [
        Surroundings(decode_image(image, name), square) for image, square in zip(images, squares, strict=True)
    ]


def _lacking(pack: Pack) -> PackError:
    return PackError(
        f"{pack.path}: lacks what surrounds its crops, which `spoof.framing` asks for",
        "set `prepare.surroundings: true` and run `dvc repro prepare@spoof content@spoof`, or set `spoof.framing: 0`",
    )

"""Face boxes as data sets give them, with their defects: negative, empty, in another frame, all zero."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from facegate.datasets.traps import TrapError


def fit_box(box: Sequence[float], width: int, height: int, frame: float | None = None) -> list[float] | None:
    """A box x y w h cut to the picture; None if nothing with an area is left.

    Args:
        box: x, y, width, height.
        width: of the picture, pixels.
        height: of the picture, pixels.
        frame: side of the square that the box is given in; None if it is in pixels of the picture.
    """
    across, down = (width / frame, height / frame) if frame else (1.0, 1.0)
    left, right = (min(max(v * across, 0.0), float(width)) for v in (box[0], box[0] + box[2]))
    top, bottom = (min(max(v * down, 0.0), float(height)) for v in (box[1], box[1] + box[3]))
    if not (right > left and bottom > top):
        return None
    return [left, top, right - left, bottom - top]


def read_numbers(file: Path) -> list[list[float]]:
    """Rows of numbers, parted by blanks or commas; empty lines are passed over.

    Raises:
        TrapError: the file is missing or holds something else.
    """
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [[float(word) for word in re.split(r"[\s,]+", line.strip())] for line in lines if line.strip()]
    except OSError as error:
        raise TrapError(
            "side_file", f"{file}: cannot be read: {error.strerror}", "restore the file"
        ) from error
    except ValueError as error:
        raise TrapError("side_file", f"{file}: not rows of numbers: {error}", "restore the file") from error


def frame_boxes(file: Path, form: Literal["corners", "numbered"]) -> dict[int, list[float]]:
    """Boxes x y w h by frame number; frames without a face (all zeros) are left out.

    Args:
        file: side file of a video.
        form: ``corners`` for rows x1 y1 x2 y2, the n-th for frame n; ``numbered`` for frame x y w h.

    Raises:
        TrapError: the file is missing or malformed, or no frame has a face.
    """
    boxes: dict[int, list[float]] = {}
    for number, row in enumerate(read_numbers(file)):
        if form == "corners" and len(row) >= 4:
            x1, y1, x2, y2 = row[:4]
            frame, box = number, [x1, y1, x2 - x1, y2 - y1]
        elif form == "numbered" and len(row) >= 5:
            frame, box = int(row[0]), row[1:5]
        else:
            raise TrapError(
                "side_file", f"{file}: row {number + 1} has {len(row)} numbers", "restore the file"
            )
        if box[2] > 0 and box[3] > 0:
            boxes[frame] = box
    if not boxes:
        raise TrapError("no_face", f"{file}: no frame has a face", "leave the video out")
    return boxes

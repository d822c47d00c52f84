"""Pictures side by side on one sheet, each with a caption: the errors that numbers do not show."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.whole import write_whole

CELL, GAP, LINE = 96, 8, 15


def contact_sheet(
    path: Path, cells: Sequence[tuple[Sequence[NDArray[np.uint8]], Sequence[str]]], columns: int = 4
) -> None:
    """Write a JPEG of cells, each one or more pictures in a row over their lines of caption.

    Args:
        path: the ``.jpg`` file.
        cells: pictures (RGB, any size; shown at 96 pixels) and lines of ASCII caption; all alike in number.
        columns: cells per row.
    """
    made = [_cell(pictures, caption) for pictures, caption in cells]
    if not made:
        made = [np.full((CELL, CELL, 3), 255, np.uint8)]
    blank = np.full_like(made[0], 255)
    made += [blank] * (-len(made) % columns)
    rows = [np.concatenate(made[k : k + columns], axis=1) for k in range(0, len(made), columns)]
    sheet = np.concatenate(rows)
    done, data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not done:
        raise ValueError("the contact sheet could not be encoded")
    write_whole(path, data.tobytes())


def _cell(pictures: Sequence[NDArray[np.uint8]], caption: Sequence[str]) -> NDArray[np.uint8]:
    shown = [cv2.resize(p, (CELL, CELL), interpolation=cv2.INTER_AREA) for p in pictures]
    width = len(shown) * CELL + GAP
    cell = np.full((CELL + GAP + LINE * len(caption) + GAP, max(width, 2 * CELL), 3), 255, np.uint8)
    for k, picture in enumerate(shown):
        cell[GAP // 2 : GAP // 2 + CELL, GAP // 2 + k * CELL : GAP // 2 + (k + 1) * CELL] = picture
    for k, line in enumerate(caption):
        at = (GAP // 2, CELL + GAP // 2 + LINE * (k + 1) - 3)
        cv2.putText(cell, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (60, 60, 60), 1, cv2.LINE_AA)
    return cell

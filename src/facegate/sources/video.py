"""Frames of a video at a stated rate, decoded once, one in memory at a time.

Phones record with a variable frame rate, so frames are chosen by their time stamps and not by their number.
A container without usable stamps falls back to the rate that it claims.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.datasets.traps import TrapError

LONGEST = 36_000
"""Frames after which a video is cut off; a damaged index may claim millions."""


class Frame(NamedTuple):
    """One frame: its number in the file, its time in seconds, its picture (RGB)."""

    number: int
    time_s: float
    image: NDArray[np.uint8]


def video_frames(file: Path, rate: float, first: int | None = None) -> Iterator[Frame]:
    """Frames of a video, `rate` of them a second.

    Args:
        file: the video.
        rate: frames per second; at or above the video's own rate all are taken.
        first: stop before this frame number.

    Raises:
        TrapError: the file is missing, no video, or holds no frame that can be decoded.
    """
    if not file.is_file():
        raise TrapError("video", f"{file}: no such file", "restore the file")
    capture = cv2.VideoCapture(str(file))
    try:
        if not capture.isOpened():
            raise TrapError("video", f"{file}: no readable video", "leave it out, or convert it with ffmpeg")
        taken = 0
        for number, time_s in _stamps(capture, first or LONGEST):
            if time_s + 1e-3 < taken / rate:
                continue
            taken = int((time_s + 1e-3) * rate) + 1
            done, bgr = capture.retrieve()
            if done:
                yield Frame(number, time_s, np.ascontiguousarray(bgr[..., ::-1], np.uint8))
        if not taken:
            raise TrapError(
                "video", f"{file}: the video has no frame", "leave it out, or convert it with ffmpeg"
            )
    finally:
        capture.release()


def _stamps(capture: cv2.VideoCapture, stop: int) -> Iterator[tuple[int, float]]:
    """Number and time of each frame, grabbed but not decoded into a picture."""
    claimed = capture.get(cv2.CAP_PROP_FPS)
    step = 1 / claimed if 1 <= claimed <= 1000 else 1 / 25
    before = -1.0
    for number in range(stop):
        if not capture.grab():
            return
        time_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if not time_s > before:
            time_s = 0.0 if number == 0 else before + step
        before = time_s
        yield number, time_s

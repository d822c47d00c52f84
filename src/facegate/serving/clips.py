"""A short film as frames with times, bounded in every direction before and while it is decoded.

Only three kinds of container are handed to the decoder, told by their first bytes: FFmpeg would also open playlists, which
name other files and hosts.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.faces.picture import to_rgb
from facegate.serving.problems import ProblemError

TimedFrame = tuple[float, NDArray[np.uint8]]


def is_film(data: bytes) -> bool:
    """Whether the bytes begin like MP4 or QuickTime, WebM or Matroska, or AVI."""
    return (
        data[4:8] == b"ftyp"
        or data[:4] == b"\x1a\x45\xdf\xa3"
        or (data[:4] == b"RIFF" and data[8:12] == b"AVI ")
    )


def film_frames(
    data: bytes, *, seconds: float, max_fps: float, max_pixels: int
) -> Generator[TimedFrame, None, None]:
    """Frames of a film, one after another, never more than one in memory.

    Args:
        data: the file.
        seconds: where it is cut off.
        max_fps: frames beyond this are skipped.
        max_pixels: largest frame.

    Raises:
        ProblemError: 413, its frames are too large; 422, it is no film that can be read.
    """
    if not is_film(data):
        raise ProblemError(422, "the clip is no MP4, WebM or AVI file", "record it as MP4, or send `frames`")
    with _opened(data) as film:
        width, height = (int(film.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > max_pixels:
            raise ProblemError(413, f"{width} × {height} pixels; at most {max_pixels:,}", "record it smaller")
        yield from _sampled(film, seconds, max_fps)


def _sampled(film: cv2.VideoCapture, seconds: float, max_fps: float) -> Iterator[TimedFrame]:
    rate = film.get(cv2.CAP_PROP_FPS)
    rate = rate if 1 <= rate <= 1000 else 25.0
    due, last = 0.0, -1.0
    for number in range(int(seconds * rate) + 1):
        if not film.grab():
            return
        at = film.get(cv2.CAP_PROP_POS_MSEC) / 1000
        at = at if np.isfinite(at) and at > last else number / rate
        if at > seconds or at <= last:
            return
        last = at
        if at + 1e-6 >= due:
            due = max(due + 1 / max_fps, at)
            good, frame = film.retrieve()
            if good:
                yield at, to_rgb(np.asarray(frame))


@contextmanager
def _opened(data: bytes) -> Iterator[cv2.VideoCapture]:
    """The film, opened; FFmpeg wants a file, which is gone again afterwards."""
    handle, name = tempfile.mkstemp(prefix="facegate-clip-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        film = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        try:
            if not film.isOpened():
                raise ProblemError(422, "the clip cannot be read", "record it anew, or send `frames`")
            yield film
        finally:
            film.release()
    finally:
        Path(name).unlink(missing_ok=True)

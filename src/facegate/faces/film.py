"""A clip of a face as one picture: a film strip.

Frames stand below each other, each a context crop. One more line of pixels carries how the face moves, three
figures a frame as its red, green and blue, as 128 + 128 · figure. So a clip goes wherever a picture goes: into a
pack, a bundle's golden vectors, an int8 calibration, a viewer.

A strip has a fixed number of frames, whatever the camera gave: they are taken evenly over the time of the clip, so
that a slow or stuttering camera shows a frame twice.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.faces.motion import motion_cues

LEAST_FRAMES = 8
"""A clip with fewer different frames shows too little."""
_ZERO = 128


def slots(times: ArrayLike, count: int) -> NDArray[np.intp]:
    """Which frame stands in each of `count` places that divide the time of a clip evenly: the nearest.

    Args:
        times: of the frames, ascending, seconds; at least one.
        count: number of places.
    """
    seconds = np.asarray(times, np.float64)
    wanted = np.linspace(seconds[0], seconds[-1], count)
    return np.abs(seconds[None, :] - wanted[:, None]).argmin(axis=1)


def film_strip(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put frames into a strip.

    Args:
        frames: context crops, RGB, shape (count, size, size, 3), count at most size.

    Returns:
        RGB, shape (count · size + 1, size, 3).
    """
    return with_cues(frames, motion_cues(frames))


def with_cues(frames: NDArray[np.uint8], cues: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Put frames (count, size, size, 3) and their figures (count, 3) into a strip."""
    count, size = frames.shape[:2]
    line = np.full((1, size, 3), _ZERO, np.uint8)
    line[0, :count] = np.clip(np.rint(_ZERO + _ZERO * cues), 0, 255).astype(np.uint8)
    return np.concatenate([frames.reshape(count * size, size, 3), line])


def unroll(strip: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Frames (count, size, size, 3) and figures (count, 3) of a strip."""
    size = strip.shape[1]
    count = frames_in(strip.shape[0], size)
    cues = (strip[-1, :count].astype(np.float32) - _ZERO) / _ZERO
    return strip[:-1].reshape(count, size, size, 3), np.asarray(cues, np.float32)


def frames_in(height: int, width: int) -> int:
    """Number of frames of a strip.

    Raises:
        ValueError: no strip has these sides.
    """
    count, rest = divmod(height - 1, width)
    if rest or not 1 <= count <= width:
        raise ValueError(f"{width} × {height} pixels are no film strip")
    return count

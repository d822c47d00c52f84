"""Small pictures with known content."""

import numpy as np
from numpy.typing import NDArray


def gradient(size: int = 96) -> NDArray[np.float32]:
    """A linear scene with every channel sloping another way."""
    ramp = np.linspace(0.05, 0.8, size, dtype=np.float32)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], 0.3 * np.ones((1, 1), np.float32)), -1)


def portrait(size: int = 128) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A grey card with five coloured dots where a face has its landmarks."""
    rng = np.random.default_rng(5)
    picture = np.full((size, size, 3), 120, np.uint8)
    picture += rng.integers(0, 12, picture.shape, dtype=np.uint8)
    unit = np.array([(0.42, 0.42), (0.58, 0.42), (0.5, 0.5), (0.44, 0.58), (0.56, 0.58)], np.float32)
    return picture, unit * size - 0.5

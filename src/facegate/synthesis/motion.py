"""How things move for a second: heads and hands wander, eyes blink, mouths talk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float64]
"""One value per frame."""

CLOSING, OPENING = 0.075, 0.14
"""Time constants of a blink, seconds: lids close about twice as fast as they open."""


@dataclass(frozen=True)
class Times:
    """When frames are taken.

    Attributes:
        frames: number of them.
        fps: frames per second.
    """

    frames: int
    fps: float

    @property
    def seconds(self) -> Track:
        """Time of each frame from the first."""
        return np.arange(self.frames) / self.fps


def wander(rng: np.random.Generator, times: Times, spread: float, memory: float = 0.4) -> Track:
    """A smooth random walk around zero, from zero-mean noise that is forgotten over `memory` seconds.

    An Ornstein-Uhlenbeck process through a short smoothing, so that its velocity is no noise.
    """
    keep = np.exp(-1 / (times.fps * memory))
    values = np.empty(times.frames + 4)
    values[0] = rng.normal(0, spread)
    for k in range(1, values.size):
        values[k] = keep * values[k - 1] + np.sqrt(1 - keep**2) * rng.normal(0, spread)
    return np.convolve(values, np.array([1, 4, 6, 4, 1]) / 16, "valid")


def blinks(rng: np.random.Generator, times: Times, odds: float = 0.6) -> Track:
    """Eyelid closure by blinks, 0 to 1: none, one or (rarely) two.

    Args:
        rng: source of randomness.
        times: of the frames.
        odds: probability of any blink; far more than the 15 to 25 % of a second of real life, so that the
            set holds enough of them.
    """
    closure = np.zeros(times.frames)
    if rng.random() >= odds:
        return closure
    for _ in range(1 if rng.random() < 0.8 else 2):
        centre = rng.uniform(0.05, 0.95) * times.frames / times.fps
        pace = rng.uniform(0.8, 1.4)
        late = times.seconds - centre
        width = np.where(late < 0, CLOSING, OPENING) * pace
        closure = np.maximum(closure, np.exp(-((late / width) ** 2)))
    return closure


def talking(rng: np.random.Generator, times: Times) -> Track:
    """How far the jaw opens beyond its rest, 0 to about 0.3; still in most clips."""
    if rng.random() > 0.4:
        return np.zeros(times.frames)
    return np.clip(wander(rng, times, 0.14, memory=0.12), 0, 0.4)

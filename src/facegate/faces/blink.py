"""From how open the eyes are, frame by frame, to blinks: a state machine with two thresholds.

Eyes close where the score falls to the lower threshold and open where it rises to the upper one, so that a score
that trembles between the two is no blink. Times of crossing are interpolated between frames: a blink is as long
at 10 frames a second as at 30. What was not seen (a closing before the first frame, a gap in the stream) is
never made up.

A blink speaks for a live person; a missing one speaks against nobody: at ten blinks a minute, 60 % of clips of
three seconds have none.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True)
class BlinkParams:
    """What counts as a blink.

    Attributes:
        close: eyes are closed at or below this score.
        open: eyes are open at or above this score.
        shortest_s: a closure shorter than this is noise, seconds.
        longest_s: a closure longer than this is closed eyes and no blink, seconds.
        gap_s: frames further apart than this say nothing about what was between them, seconds.
    """

    close: float = 0.4
    open: float = 0.6
    shortest_s: float = 0.02
    longest_s: float = 0.8
    gap_s: float = 0.5

    def __post_init__(self) -> None:
        if not self.close <= self.open:
            raise ValueError(f"close ({self.close}) must not lie above open ({self.open})")

    @classmethod
    def around(cls, threshold: float, band: float = 0.1) -> "BlinkParams":
        """Thresholds `band` below and above one that parts open from closed, kept inside 0 to 1."""
        middle = min(max(threshold, 2 * band), 1 - 2 * band)
        return cls(close=middle - band, open=middle + band)


class Blink(NamedTuple):
    """Eyes that closed and opened again.

    Attributes:
        start_s: when the score fell through the lower threshold, seconds.
        end_s: when it rose through the upper one, seconds.
    """

    start_s: float
    end_s: float


@dataclass(frozen=True)
class EyeState:
    """What is known of a pair of eyes.

    Attributes:
        open: whether they are open; None before anything was seen.
        closed_s: when they were seen to close; None where that was not seen.
        score: of the newest frame.
        time_s: of the newest frame, seconds; None before the first.
        blinks: how many were seen.
    """

    open: bool | None = None
    closed_s: float | None = None
    score: float = math.nan
    time_s: float | None = None
    blinks: int = 0

    def step(self, score: float, now_s: float, params: BlinkParams) -> tuple["EyeState", Blink | None]:
        """Take in one frame.

        Args:
            score: how open the eyes are, 0 to 1; a frame whose score is no number is left out.
            now_s: time of the frame, seconds; later than the one before.
            params: thresholds.

        Returns:
            The new state, and the blink that this frame completed, if any.

        Raises:
            ValueError: time stands still or runs backwards.
        """
        if math.isnan(score):
            return self, None
        if self.time_s is not None and now_s <= self.time_s:
            raise ValueError(f"time must advance: {now_s} after {self.time_s}")
        before = self
        if self.time_s is not None and now_s - self.time_s > params.gap_s:
            before = EyeState(blinks=self.blinks)
        after = replace(before, score=score, time_s=now_s)
        if score <= params.close and before.open is not False:
            seen = before.open is True
            return replace(
                after, open=False, closed_s=before._crossing(params.close, score, now_s) if seen else None
            ), None
        if score >= params.open and before.open is not True:
            return before._opened(after, params)
        return after, None

    def _opened(self, after: "EyeState", params: BlinkParams) -> tuple["EyeState", Blink | None]:
        opened = replace(after, open=True, closed_s=None)
        if self.open is None or self.closed_s is None or after.time_s is None:
            return opened, None
        blink = Blink(self.closed_s, self._crossing(params.open, after.score, after.time_s))
        if not params.shortest_s <= blink.end_s - blink.start_s <= params.longest_s:
            return opened, None
        return replace(opened, blinks=self.blinks + 1), blink

    def _crossing(self, level: float, score: float, now_s: float) -> float:
        """When the score went through `level` between the frame before and this one."""
        if self.time_s is None or score == self.score:
            return now_s
        share = min(max((level - self.score) / (score - self.score), 0.0), 1.0)
        return self.time_s + share * (now_s - self.time_s)


def find_blinks(frames: Iterable[tuple[float, float]], params: BlinkParams | None = None) -> list[Blink]:
    """Blinks of a whole clip.

    Args:
        frames: time in seconds and score of each frame, in order.
        params: thresholds; the usual ones by default.
    """
    limits, state, found = params or BlinkParams(), EyeState(), []
    for now_s, score in frames:
        state, blink = state.step(score, now_s, limits)
        if blink is not None:
            found.append(blink)
    return found

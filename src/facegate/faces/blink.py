"""From how open the eyes are, frame by frame, to blinks: a state machine with two thresholds.

Scores are taken as shares of how open these eyes get: narrow eyes score low throughout, and no threshold for all of
them is a good one for each. Eyes close where the share falls to the lower threshold and open where it rises to the
upper one, so that a score that trembles between the two is no blink. Times of crossing are interpolated between
frames: a blink is as long at 10 frames a second as at 30. What was not seen (a closing before the first frame, a gap in
the stream) is never made up.

A blink speaks for a live person; a missing one speaks against nobody: at ten blinks a minute, 60 % of clips of
three seconds have none.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True)
class BlinkParams:
    """What counts as a blink.

    Attributes:
        close: eyes are closed at or below this share of how open they get.
        open: eyes are open at or above this share.
        shortest_s: a closure shorter than this is noise, seconds.
        longest_s: a closure longer than this is closed eyes and no blink, seconds.
        gap_s: frames further apart than this say nothing about what was between them, seconds.
        least_level: eyes are held to get at least as open as this score, whatever was seen of them.
        memory_s: time in which the highest score that was seen falls to 1/e, seconds.
    """

    close: float = 0.4
    open: float = 0.6
    shortest_s: float = 0.02
    longest_s: float = 0.8
    gap_s: float = 0.5
    least_level: float = 0.3
    memory_s: float = 10.0

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
        share: score of the newest frame as a share of `level`.
        time_s: of the newest frame, seconds; None before the first.
        blinks: how many were seen.
        level: score of these eyes when they are open: the highest one, slowly forgotten.
    """

    open: bool | None = None
    closed_s: float | None = None
    share: float = math.nan
    time_s: float | None = None
    blinks: int = 0
    level: float = 0.0

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
        level = self._level(score, now_s, params)
        share = score / level
        before = self
        if self.time_s is not None and now_s - self.time_s > params.gap_s:
            before = EyeState(blinks=self.blinks)
        after = replace(before, share=share, time_s=now_s, level=level)
        if share <= params.close and before.open is not False:
            seen = before.open is True
            return replace(
                after, open=False, closed_s=before._crossing(params.close, share, now_s) if seen else None
            ), None
        if share >= params.open and before.open is not True:
            return before._opened(after, params)
        return after, None

    def _level(self, score: float, now_s: float, params: BlinkParams) -> float:
        passed = 0.0 if self.time_s is None else now_s - self.time_s
        return max(self.level * math.exp(-passed / params.memory_s), score, params.least_level)

    def _opened(self, after: "EyeState", params: BlinkParams) -> tuple["EyeState", Blink | None]:
        opened = replace(after, open=True, closed_s=None)
        if self.open is None or self.closed_s is None or after.time_s is None:
            return opened, None
        blink = Blink(self.closed_s, self._crossing(params.open, after.share, after.time_s))
        if not params.shortest_s <= blink.end_s - blink.start_s <= params.longest_s:
            return opened, None
        return replace(opened, blinks=self.blinks + 1), blink

    def _crossing(self, limit: float, share: float, now_s: float) -> float:
        """When the share went through `limit` between the frame before and this one."""
        if self.time_s is None or share == self.share:
            return now_s
        part = min(max((limit - self.share) / (share - self.share), 0.0), 1.0)
        return self.time_s + part * (now_s - self.time_s)


def watch(
    frames: Iterable[tuple[float, float]], params: BlinkParams | None = None
) -> Iterator[tuple[EyeState, Blink | None]]:
    """What is known of a pair of eyes after each frame of a clip, and the blink that the frame completed.

    Args:
        frames: time in seconds and score of each frame, in order.
        params: thresholds; the usual ones by default.
    """
    limits, state = params or BlinkParams(), EyeState()
    for now_s, score in frames:
        state, blink = state.step(score, now_s, limits)
        yield state, blink


def find_blinks(frames: Iterable[tuple[float, float]], params: BlinkParams | None = None) -> list[Blink]:
    """Blinks of a whole clip; arguments as :func:`watch`."""
    return [blink for _, blink in watch(frames, params) if blink is not None]

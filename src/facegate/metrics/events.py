"""Did the events that happened get noticed, and no others: precision, recall and F1 of intervals in time.

A found event counts for at most one true event and the other way round, and they must overlap, with some slack for
the sampling of both. True events that nobody could be sure of (half out of view) are neither asked for nor held
against what was found there.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.metrics.bootstrap import Resamples, interval

Span = tuple[float, float]
"""Begin and end of an event, seconds."""


class Matches(NamedTuple):
    """Counts over one recording.

    Attributes:
        hits: true events that were found.
        false: found events that are none.
        missed: true events that were not found.
    """

    hits: int
    false: int
    missed: int


def match_events(
    true: Sequence[Span], found: Sequence[Span], unsure: Iterable[Span] = (), slack: float = 0.0
) -> Matches:
    """Pair events in the order of time.

    Args:
        true: what happened, ascending.
        found: what was noticed, ascending.
        unsure: where an event may have been; found events there do not count.
        slack: by which true events are widened on both sides, seconds.
    """
    left = list(found)
    hits = 0
    for start, end in true:
        hit = next((f for f in left if f[0] <= end + slack and f[1] >= start - slack), None)
        if hit is not None:
            left.remove(hit)
            hits += 1
    doubtful = list(unsure)
    false = sum(not any(f[0] <= e + slack and f[1] >= s - slack for s, e in doubtful) for f in left)
    return Matches(hits, false, len(true) - hits)


def f1(hits: ArrayLike, false: ArrayLike, missed: ArrayLike) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall, ``2h / (2h + f + m)``; NaN where nothing happened nor was found."""
    twice = 2 * np.asarray(hits, float)
    total = twice + np.asarray(false, float) + np.asarray(missed, float)
    return np.divide(twice, total, out=np.full(total.shape, np.nan), where=total > 0)


def f1_interval(
    draws: Resamples, matches: Sequence[Matches], subjects: ArrayLike, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the pooled F1 over subjects, 0 to 1.

    Args:
        draws: resamples of (at least) the subjects given.
        matches: counts of each recording.
        subjects: of each recording.
        confidence: level, 0 to 1.

    Raises:
        NotMeasurableError: more than a tenth of the resamples hold no event.
    """
    code, people = draws.codes(subjects), draws.people.size
    weights = draws.weights.astype(np.float64)
    sums = [weights @ np.bincount(code, column, people) for column in np.array(matches, float).T]
    low, high = interval(f1(*sums), people, confidence)
    return max(low, 0.0), min(high, 1.0)

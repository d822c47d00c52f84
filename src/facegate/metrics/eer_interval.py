"""The equal error rate with an interval over people, and the paired test of two systems.

The threshold of the EER moves with the people drawn, so every resample is read off a fine grid of thresholds
around the crossing; one sparse product serves all of them (:mod:`facegate.metrics.bootstrap`).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate
from facegate.metrics.bootstrap import Resamples, interval, resampled_counts
from facegate.metrics.intervals import BOOTSTRAP, zero_error_bound
from facegate.metrics.scores import checked
from facegate.metrics.verification import MATED, NONMATED, eer, error_curves


def eer_rate(
    draws: Resamples,
    mated: tuple[ArrayLike, ArrayLike],
    nonmated: tuple[ArrayLike, ArrayLike, ArrayLike | None],
    confidence: float = 0.95,
) -> Rate:
    """EER with an interval over subjects.

    Args:
        draws: resamples of all subjects.
        mated: scores and subjects.
        nonmated: scores, probe subjects and reference subjects; the last is None for presentations.
        confidence: level, 0 to 1.

    Returns:
        `errors` counts the false matches and false non-matches at the EER threshold, `trials` all comparisons.
    """
    genuine, impostor = checked(mated[0], MATED), checked(nonmated[0], NONMATED)
    found = eer(error_curves(genuine, impostor))
    errors = int((genuine < found.threshold).sum() + (impostor >= found.threshold).sum())
    people = draws.people.size
    if found.value == 0:
        low, high = 0.0, zero_error_bound(people, 1 - (1 - confidence) / 2)
    else:
        low, high = interval(resampled_eers(draws, mated, nonmated), people, confidence)
    return Rate(
        value=found.value,
        errors=errors,
        trials=genuine.size + impostor.size,
        low=max(low, 0.0),
        high=min(high, 1.0),
        confidence=confidence,
        method=BOOTSTRAP,
    )


def resampled_eers(
    draws: Resamples,
    mated: tuple[ArrayLike, ArrayLike],
    nonmated: tuple[ArrayLike, ArrayLike, ArrayLike | None],
    levels: int = 128,
) -> NDArray[np.float64]:
    """EER of each resample, read off a grid of thresholds around the crossing; shape (resamples,).

    The grid puts `levels` steps of either rate between 0 and three times the EER, so it is exact up to a
    straight line over one such step. NaN where a resample holds only one kind.
    """
    genuine, impostor = checked(mated[0], MATED), checked(nonmated[0], NONMATED)
    middle = eer(error_curves(genuine, impostor)).value
    rates = np.linspace(0, min(1.0, 3 * middle + 0.01), levels)
    grid = np.unique(np.concatenate([np.quantile(genuine, rates), np.quantile(impostor, 1 - rates)]))
    size = grid.size + 1
    missed = resampled_counts(draws, np.searchsorted(grid, genuine, "right"), size, mated[1])
    matched = resampled_counts(draws, np.searchsorted(grid, impostor, "right"), size, *nonmated[1:])
    false_non_match = _shares_below(missed)
    false_match = 1 - _shares_below(matched)
    return _crossings(false_match, false_non_match)


def _shares_below(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = counts.sum(axis=1, keepdims=True)
    return np.cumsum(counts, axis=1)[:, :-1] / np.where(total > 0, total, np.nan)


def _crossings(falling: NDArray[np.float64], rising: NDArray[np.float64]) -> NDArray[np.float64]:
    edge = np.ones((len(falling), 1))
    falling, rising = np.hstack([edge, falling, 0 * edge]), np.hstack([0 * edge, rising, edge])
    gap = falling - rising
    after = np.argmax(gap <= 0, axis=1)[:, None]
    first, last = (np.take_along_axis(gap, i, axis=1) for i in (after - 1, after))
    low, high = (np.take_along_axis(falling, i, axis=1) for i in (after - 1, after))
    crossing = (low + first / (first - last) * (high - low))[:, 0]
    return np.where(np.isnan(gap).any(axis=1), np.nan, crossing)


def paired_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], people: int, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Is the second system better, on the same resamples of the same people?

    Args:
        first: a figure of the first system in each resample, lower is better.
        second: the same of the second system.
        people: number of subjects.
        confidence: level of the interval.

    Returns:
        Bounds of ``second - first``, and the two-sided bootstrap p-value of no difference.
    """
    change = second - first
    low, high = interval(change, people, confidence)
    valid = change[~np.isnan(change)]
    below, above = np.mean(valid <= 0), np.mean(valid >= 0)
    return low, high, float(min(1.0, 2 * max(min(below, above), 1 / (valid.size + 1))))

"""Rank correlation with an interval over people: whether a score follows something that it should not know."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from facegate.errors import NotMeasurableError
from facegate.metrics.bootstrap import Resamples


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's rho: Pearson's correlation of the ranks, ties at their mean rank, -1 to 1.

    Args:
        one: shape (n,).
        other: shape (n,).

    Raises:
        NotMeasurableError: a value is NaN or infinite, or one of them is the same everywhere.
    """
    x, y = _ranks(one, other)
    return float(_pearson(np.array([x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y], float)[None])[0])


def resampled_spearman(
    draws: Resamples, one: ArrayLike, other: ArrayLike, subjects: ArrayLike
) -> NDArray[np.float64]:
    """Spearman's rho of each resample of people, shape (resamples,).

    Ranks are those of the whole sample, each counted as often as its person is drawn. NaN where nothing varies.
    """
    x, y = _ranks(one, other)
    code, people = draws.codes(subjects), draws.people.size
    moments = [np.bincount(code, values, people) for values in (np.ones(x.size), x, y, x * x, y * y, x * y)]
    return _pearson(draws.weights.astype(np.float64) @ np.stack(moments, 1))


def _ranks(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ranks about their middle, in a range of one."""
    found = []
    for values in (np.asarray(one, float), np.asarray(other, float)):
        if not np.isfinite(values).all():
            raise NotMeasurableError(
                "a correlation is asked for of NaN or infinite values", "look at the scores"
            )
        if values.size < 2 or np.ptp(values) == 0:
            raise NotMeasurableError(
                f"a correlation needs values that vary, not {np.unique(values).size} among {values.size}",
                "evaluate more pictures",
            )
        found.append((rankdata(values) - (values.size + 1) / 2) / values.size)
    return found[0], found[1]


def _pearson(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation from rows of Σ1, Σx, Σy, Σx², Σy², Σxy, shape (r, 6)."""
    count, x, y, xx, yy, xy = moments.T
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (xx - x * x / count) * (yy - y * y / count)
        return np.where(spread > 1e-12, (xy - x * y / count) / np.sqrt(np.maximum(spread, 1e-12)), np.nan)

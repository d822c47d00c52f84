"""Intervals for figures whose trials share people: resample the people, not the pictures.

All pictures of a person who is drawn come along, so what agrees within a person does not pass for evidence.
A comparison of persons i and j counts ``w_i * w_j`` times in a resample that drew them w_i and w_j times, a
mated one ``w_i`` times (the vertex bootstrap: Snijders and Borgatti, Connections 1999; for biometrics, Poh
and Bengio, 2007).

Scores enter as *bins* between a few thresholds, counted per pair of people in one sparse matrix. A thousand
resamples are then a product of that matrix with the weights, so 10⁶ comparisons take about a second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.stats import norm, t

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.clustered import Counts, clustered_bounds
from facegate.metrics.intervals import BOOTSTRAP

_BLOCK = 8_000_000
"""Largest intermediate product held at once, in numbers."""
_MISSING = 0.1
"""Share of resamples that may lack any trial before an interval means nothing."""


@dataclass(frozen=True)
class Resamples:
    """How often each person is drawn in each resample.

    Attributes:
        people: sorted distinct subjects, shape (s,).
        weights: float32, shape (resamples, s); each row sums to s.
    """

    people: NDArray[np.object_]
    weights: NDArray[np.float32]

    def codes(self, subjects: ArrayLike) -> NDArray[np.intp]:
        """Index of each subject in `people`."""
        return np.searchsorted(self.people, np.asarray(subjects))


def resample(subjects: ArrayLike, resamples: int = 1000, seed: int = 0) -> Resamples:
    """Draw people with replacement; the same seed and people give the same draws.

    Raises:
        NotMeasurableError: fewer than two people.
    """
    people = np.unique(np.asarray(subjects))
    if people.size < 2:
        raise NotMeasurableError(
            f"a bootstrap over subjects needs at least 2 of them, not {people.size}", "evaluate more people"
        )
    share = np.full(people.size, 1 / people.size)
    weights = np.random.default_rng(seed).multinomial(people.size, share, size=resamples)
    return Resamples(people, weights.astype(np.float32))


def resampled_counts(
    draws: Resamples, bins: ArrayLike, size: int, first: ArrayLike, second: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How many trials fall into each bin, in each resample.

    Args:
        draws: the resamples.
        bins: bin of each trial, 0 to size - 1, shape (n,).
        size: number of bins.
        first: subject of each trial, shape (n,).
        second: the other subject of each comparison, the same one in mated ones; None if all are one person's.

    Returns:
        Shape (resamples, size).
    """
    number, one = np.asarray(bins), draws.codes(first)
    if second is None:
        return _counts(draws, number, size, one, None)
    two = draws.codes(second)
    own = one == two
    apart = _counts(draws, number[~own], size, one[~own], two[~own])
    return apart + _counts(draws, number[own], size, one[own], None) if own.any() else apart


def _counts(
    draws: Resamples,
    bins: NDArray[np.intp],
    size: int,
    first: NDArray[np.intp],
    second: NDArray[np.intp] | None,
) -> NDArray[np.float64]:
    people = draws.people.size
    rows = bins if second is None else bins * people + first
    columns = first if second is None else second
    shape = (size if second is None else size * people, people)
    table = sparse.csr_matrix((np.ones(rows.size, np.float32), (rows, columns)), shape=shape)
    counts = np.empty((len(draws.weights), size))
    step = max(1, _BLOCK // shape[0])
    for start in range(0, len(counts), step):
        drawn = np.ascontiguousarray(draws.weights[start : start + step].T)
        partial = table @ drawn
        if second is not None:
            partial = np.einsum("kpb,pb->kb", partial.reshape(size, people, -1), drawn)
        counts[start : start + step] = partial.T
    return counts


def resampled_rates(
    draws: Resamples, errors: ArrayLike, first: ArrayLike, second: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Share of erroneous trials in each resample, shape (resamples,); NaN where no trial was drawn."""
    counts = resampled_counts(draws, np.asarray(errors, np.intp), 2, first, second)
    return _divided(counts[:, 1], counts.sum(axis=1))


def resampled_means(draws: Resamples, values: ArrayLike, subjects: ArrayLike) -> NDArray[np.float64]:
    """Mean of a figure that each trial has, in each resample, shape (resamples,)."""
    code, size = draws.codes(subjects), draws.people.size
    total = np.bincount(code, np.asarray(values, float), size)
    weights = draws.weights.astype(np.float64)
    return _divided(weights @ total, weights @ np.bincount(code, minlength=size))


def interval(samples: NDArray[np.float64], people: int, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of resampled figures, widened for few people.

    Plain percentiles are too narrow by ``sqrt(n / (n - 1))`` and by normal instead of t quantiles; their
    levels are set outward accordingly (Hesterberg, The American Statistician 2015, "expanded percentile").

    Args:
        samples: one figure per resample; NaN where it could not be measured.
        people: number of subjects that were resampled.
        confidence: level, 0 to 1.

    Raises:
        NotMeasurableError: more than a tenth of the resamples gave no figure.
    """
    valid = samples[~np.isnan(samples)]
    if valid.size < (1 - _MISSING) * samples.size:
        raise NotMeasurableError(
            f"only {valid.size} of {samples.size} resamples hold a trial", "evaluate more people"
        )
    tail = norm.cdf(np.sqrt(people / (people - 1)) * t.ppf((1 - confidence) / 2, people - 1))
    low, high = np.quantile(valid, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_rate(
    draws: Resamples,
    errors: ArrayLike,
    first: ArrayLike,
    second: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Rate:
    """A rate with an interval over subjects.

    The bounds are those of :func:`~facegate.metrics.clustered.clustered_bounds`. With trials of one person, or of so
    few that a tenth of the resamples miss them all, nothing is known: 0 to 1.

    Args:
        draws: resamples of (at least) the subjects given.
        errors: shape (n,), true where a trial went wrong.
        first: subject of each trial.
        second: the other subject of each comparison, the same one in mated ones; None if all are one person's.
        confidence: level, 0 to 1.
    """
    everyone = np.zeros(np.size(errors), np.intp)
    return bootstrap_rates(draws, errors, everyone, 1, first, second, confidence)[0]


def bootstrap_rates(
    draws: Resamples,
    errors: ArrayLike,
    groups: ArrayLike,
    size: int,
    first: ArrayLike,
    second: ArrayLike | None = None,
    confidence: float = 0.95,
) -> list[Rate]:
    """The rate of each of `size` groups in one go; `groups` numbers the group of each trial from 0."""
    wrong, group, one = np.asarray(errors, bool), np.asarray(groups, np.intp), draws.codes(first)
    two = one if second is None else draws.codes(second)
    cell = group * 2 + wrong
    counts = resampled_counts(draws, cell, 2 * size, first, second)
    shape = (2 * size, draws.people.size)
    persons = _per_person(cell, one, shape) + _per_person(cell[one != two], two[one != two], shape)
    total = np.bincount(cell, minlength=2 * size)
    return [
        _rate(
            counts[:, k : k + 2],
            (persons[k + 1], persons[k] + persons[k + 1]),
            int(total[k + 1]),
            int(total[k : k + 2].sum()),
            confidence,
        )
        for k in range(0, 2 * size, 2)
    ]


def _per_person(
    cells: NDArray[np.intp], people: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.intp]:
    return np.bincount(cells * shape[1] + people, minlength=shape[0] * shape[1]).reshape(shape)


def _rate(
    counts: NDArray[np.float64], by_person: tuple[Counts, Counts], wrong: int, trials: int, confidence: float
) -> Rate:
    """Rate of one group from its resampled counts (right, wrong), shape (resamples, 2)."""
    samples = _divided(counts[:, 1], counts.sum(axis=1))
    people = int(np.count_nonzero(by_person[1]))
    low, high = 0.0, 1.0
    if people > 1 and np.isnan(samples).mean() <= _MISSING:
        variance = float(np.nanvar(samples)) * people / (people - 1)
        low, high = clustered_bounds(wrong, trials, variance, by_person, confidence)
    return Rate(
        value=wrong / trials if trials else None,
        errors=wrong,
        trials=trials,
        low=low,
        high=high,
        confidence=confidence,
        method=BOOTSTRAP,
    )


def _divided(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    nothing = np.full(denominator.shape, np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)

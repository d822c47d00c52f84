"""Scores into natural-log likelihood ratios, and how good they are: Cllr and min-Cllr.

A score of 0.43 means nothing by itself; a log-likelihood ratio of 2.3 says that it is ten times as likely under
the claim as against it, whatever the prior. A map is fitted on validation scores and judged on others. Cllr
(Brümmer and du Preez, 2006) costs both poor separation and poor calibration, in bits; min-Cllr is what is left
after the best monotone map, so their difference is the cost of calibration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit

from facegate.errors import NotMeasurableError
from facegate.metrics.scores import Scores, split_scores

GENUINE, IMPOSTOR = "genuine", "impostor"


@dataclass(frozen=True)
class LogisticMap:
    """``slope * score + offset`` in natural-log units."""

    slope: float
    offset: float

    def __call__(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Log-likelihood ratio of each score."""
        return self.slope * np.asarray(scores, float) + self.offset


@dataclass(frozen=True)
class IsotonicMap:
    """A monotone step map, straight lines between its knots; outside of them it stays level.

    Attributes:
        scores: knots, ascending.
        llrs: log-likelihood ratio at each, finite and not falling.
    """

    scores: NDArray[np.float64]
    llrs: NDArray[np.float64]

    def __call__(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Log-likelihood ratio of each score."""
        return np.interp(np.asarray(scores, float), self.scores, self.llrs)


def fit_logistic(scores: ArrayLike, genuine: ArrayLike) -> LogisticMap:
    """Logistic regression with both classes of equal weight, so that the prior drops out."""
    positive, negative = split_scores(scores, genuine, (GENUINE, IMPOSTOR))
    centre, spread = _standard(positive, negative)
    x = (np.concatenate([positive, negative]).astype(float) - centre) / spread
    sign = np.concatenate([np.ones(positive.size), -np.ones(negative.size)])
    weight = np.where(sign > 0, 0.5 / positive.size, 0.5 / negative.size)

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (theta[0] * x + theta[1])
        slope = -weight * sign * expit(-margin)
        ridge = 1e-6 * theta[0] ** 2  # keeps separable scores finite
        return float(weight @ np.logaddexp(0, -margin) + ridge), np.array(
            [slope @ x + 2e-6 * theta[0], slope.sum()]
        )

    theta = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-10}).x
    return LogisticMap(float(theta[0] / spread), float(theta[1] - theta[0] * centre / spread))


def fit_isotonic(scores: ArrayLike, genuine: ArrayLike) -> IsotonicMap:
    """Pool-adjacent-violators map; one imagined error at either end keeps it finite (rule of succession)."""
    positive, negative = split_scores(scores, genuine, (GENUINE, IMPOSTOR))
    lowest, highest = min(positive.min(), negative.min()), max(positive.max(), negative.max())
    padded = np.append(positive, lowest).astype(float), np.append(negative, highest).astype(float)
    knots, llrs = _pooled(*padded)
    return IsotonicMap(knots, llrs)


def cllr(llrs: ArrayLike, genuine: ArrayLike) -> float:
    """Cost of log-likelihood ratios in bits: 0 is perfect, 1 is what no information costs."""
    positive, negative = split_scores(llrs, genuine, (GENUINE, IMPOSTOR))
    return _cost(positive, negative)


def min_cllr(scores: ArrayLike, genuine: ArrayLike) -> float:
    """Cllr after the best monotone map of these very scores."""
    positive, negative = split_scores(scores, genuine, (GENUINE, IMPOSTOR))
    knots, llrs = _pooled(positive.astype(float), negative.astype(float))
    return _cost(*(llrs[np.searchsorted(knots, part.astype(float))] for part in (positive, negative)))


def choose_map(
    scores: ArrayLike, genuine: ArrayLike, subjects: ArrayLike, seed: int = 0
) -> tuple[str, LogisticMap | IsotonicMap]:
    """The map that costs less on people it was not fitted on, then fitted on all of them.

    Half of the subjects fit, the other half judge, and the other way round.

    Returns:
        ``logistic`` or ``isotonic``, and the map.
    """
    values, labels = np.asarray(scores), np.asarray(genuine, bool)
    people, code = np.unique(np.asarray(subjects), return_inverse=True)
    half = (np.random.default_rng(seed).permutation(people.size) % 2 == 0)[code]
    fits = {"logistic": fit_logistic, "isotonic": fit_isotonic}
    costs = {
        name: sum(
            cllr(fit(values[part], labels[part])(values[~part]), labels[~part]) for part in (half, ~half)
        )
        for name, fit in fits.items()
    }
    best = min(costs, key=lambda name: costs[name])
    return best, fits[best](values, labels)


def reliability(
    llrs: ArrayLike, genuine: ArrayLike, bins: int = 10
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Stated against seen: posteriors at equal priors in bins of equal width.

    Both classes weigh the same, so that the prior of the score table does not matter.

    Returns:
        Per non-empty bin: mean stated posterior, weighted share that is genuine, genuine and impostor counts.
    """
    split_scores(llrs, genuine, (GENUINE, IMPOSTOR))
    stated, labels = expit(np.asarray(llrs, float)), np.asarray(genuine, bool)
    weight = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    index = np.minimum((stated * bins).astype(int), bins - 1)
    total = np.bincount(index, weight, bins)
    kept = total > 0
    mean = np.bincount(index, weight * stated, bins)[kept] / total[kept]
    seen = np.bincount(index, weight * labels, bins)[kept] / total[kept]
    return (
        mean,
        seen,
        np.bincount(index[labels], minlength=bins)[kept],
        np.bincount(index[~labels], minlength=bins)[kept],
    )


def _pooled(positive: Scores, negative: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    knots = np.unique(np.concatenate([positive, negative]))
    hits = np.bincount(np.searchsorted(knots, positive), minlength=knots.size)
    weight = hits + np.bincount(np.searchsorted(knots, negative), minlength=knots.size)
    share = np.asarray(isotonic_regression(hits / weight, weights=weight.astype(float)).x, np.float64)
    with np.errstate(divide="ignore"):
        llrs = np.log(share) - np.log1p(-share) - np.log(positive.size / negative.size)
    return knots.astype(np.float64), llrs


def _cost(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    bits = np.mean(np.logaddexp(0, -positive)) + np.mean(np.logaddexp(0, negative))
    return float(bits / (2 * np.log(2)))


def _standard(positive: Scores, negative: Scores) -> tuple[float, float]:
    both = np.concatenate([positive, negative]).astype(float)
    spread = float(both.std())
    if spread == 0:
        raise NotMeasurableError(
            "all scores are equal; no map can tell them apart", "check the model's output"
        )
    return float(both.mean()), spread

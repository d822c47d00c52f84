"""Area under the ROC curve with an interval over people: how well scores rank, with no threshold chosen."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.metrics.bootstrap import Resamples, resampled_counts
from facegate.metrics.scores import split_scores

BINS = 512


def auc(scores: ArrayLike, genuine: ArrayLike) -> float:
    """P(genuine score > other score) + P(tie) / 2.

    Raises:
        NotMeasurableError: either kind is missing, or a score is NaN.
    """
    positive, negative = split_scores(scores, genuine, ("genuine", "other"))
    order = np.sort(negative)
    below, upto = np.searchsorted(order, positive, "left"), np.searchsorted(order, positive, "right")
    return float((below + upto).sum() / (2 * positive.size * negative.size))


def resampled_aucs(
    draws: Resamples, scores: ArrayLike, genuine: ArrayLike, subjects: ArrayLike
) -> NDArray[np.float64]:
    """AUC of each resample, shape (resamples,); scores within one of 512 bins of equal count tie.

    NaN where a resample holds only one kind.
    """
    values, labels, who = np.asarray(scores), np.asarray(genuine, bool), np.asarray(subjects)
    distinct = np.unique(values)
    edges = distinct if distinct.size <= BINS else np.unique(np.quantile(values, np.linspace(0, 1, BINS)))
    bins = np.searchsorted(edges, values)
    size = edges.size + 1
    positive = resampled_counts(draws, bins[labels], size, who[labels])
    negative = resampled_counts(draws, bins[~labels], size, who[~labels])
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (positive * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)

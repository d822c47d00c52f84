"""What every metric assumes of scores, kept in one place: direction, validity, and how a threshold cuts ties.

Higher scores speak for the claim: *mated* in verification, *bona fide* in attack detection. A score is
accepted when it is at or above the threshold. So the false match rate over non-mated comparisons and APCER
over attacks are one function (:func:`rate_accepted`), as are the false non-match rate and BPCER
(:func:`rate_rejected`); nothing else in the project decides which way round an error counts.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.intervals import exact_rate

Scores = NDArray[np.floating[Any]]


def checked(scores: ArrayLike, what: str) -> Scores:
    """Scores as a flat floating-point array.

    Args:
        scores: any shape; float32 stays float32, everything else becomes float64.
        what: what they belong to, for the error.

    Raises:
        NotMeasurableError: there are none, or one of them is NaN or infinite.
    """
    array = np.asarray(scores).ravel()
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.size == 0:
        raise NotMeasurableError(f"there are no {what} scores", "evaluate a set that holds some")
    if not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise NotMeasurableError(
            f"{bad} of {array.size} {what} scores are NaN or infinite",
            "find the pictures that gave them; count failures to acquire instead of scoring them",
        )
    return array


def split_scores(scores: ArrayLike, genuine: ArrayLike, names: tuple[str, str]) -> tuple[Scores, Scores]:
    """Part scores into those that should be accepted and those that should not.

    Args:
        scores: shape (n,).
        genuine: shape (n,), true where the comparison is mated or the presentation bona fide.
        names: what the two groups are called, for the error.

    Raises:
        NotMeasurableError: a group is empty, a score is not finite, or the lengths differ.
    """
    values, mask = np.asarray(scores).ravel(), np.asarray(genuine).ravel().astype(bool)
    if values.shape != mask.shape:
        raise NotMeasurableError(
            f"{values.size} scores came with {mask.size} labels", "read both from one score table"
        )
    return checked(values[mask], names[0]), checked(values[~mask], names[1])


def rate_accepted(scores: ArrayLike, threshold: float, what: str, confidence: float = 0.95) -> Rate:
    """Share of scores at or above the threshold, with its exact interval."""
    values = checked(scores, what)
    return exact_rate(int(np.count_nonzero(values >= _finite(threshold))), values.size, confidence)


def rate_rejected(scores: ArrayLike, threshold: float, what: str, confidence: float = 0.95) -> Rate:
    """Share of scores below the threshold, with its exact interval."""
    values = checked(scores, what)
    return exact_rate(int(np.count_nonzero(values < _finite(threshold))), values.size, confidence)


def threshold_accepting(scores: ArrayLike, share: float, what: str) -> float:
    """The lowest threshold that at most `share` of the scores reach. Tied scores stand or fall together.

    The threshold lies just above the first score that may no longer pass, in the scores' own precision,
    so that a float32 score compares with it as it did here.
    """
    values = checked(scores, what)
    allowed = allowed_errors(values.size, share)
    if allowed >= values.size:
        return float(values.min())
    refused = np.partition(values, values.size - allowed - 1)[values.size - allowed - 1]
    return float(np.nextafter(refused, values.dtype.type(np.inf)))


def threshold_rejecting(scores: ArrayLike, share: float, what: str) -> float:
    """The highest threshold that at most `share` of the scores fall short of; always one of the scores."""
    values = checked(scores, what)
    allowed = allowed_errors(values.size, share)
    if allowed >= values.size:
        return float(np.nextafter(values.max(), values.dtype.type(np.inf)))
    return float(np.partition(values, allowed)[allowed])


def allowed_errors(trials: int, share: float) -> int:
    """How many errors among `trials` keep the rate at or below `share` (0 to 1).

    Raises:
        NotMeasurableError: the share is no rate.
    """
    if not 0 <= share <= 1:
        raise NotMeasurableError(f"a target rate of {share} is impossible", "give a rate from 0 to 1")
    return math.floor(trials * share * (1 + 1e-12) + 1e-12)


def _finite(threshold: float) -> float:
    if math.isnan(threshold):
        raise NotMeasurableError("the threshold is NaN", "choose it on scores that are numbers")
    return threshold

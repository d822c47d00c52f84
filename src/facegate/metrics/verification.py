"""One-to-one comparison in the terms of ISO/IEC 19795-1: FMR, FNMR, DET, EER, TAR at FMR.

``FMR(t)`` is the share of non-mated comparisons with a score at or above t, ``FNMR(t)`` the share of mated
ones below it. Both are counted at every distinct score; ten million comparisons take about a second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from facegate.contracts import Rate
from facegate.metrics.intervals import complement, trials_to_claim, zero_error_bound
from facegate.metrics.scores import (
    Scores,
    checked,
    rate_accepted,
    rate_rejected,
    split_scores,
    threshold_accepting,
)

MATED, NONMATED = "mated", "non-mated"
TARGETS = (1e-2, 1e-3, 1e-4, 1e-5)
"""False match rates at which TAR is stated."""


@dataclass(frozen=True)
class ErrorCurves:
    """Both error rates at every distinct score.

    Attributes:
        thresholds: ascending, shape (k,); the last is infinite and accepts nothing.
        fmr: false match rate at each threshold, falling from 1 to 0.
        fnmr: false non-match rate at each threshold, rising from 0 to 1.
    """

    thresholds: Scores
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


@dataclass(frozen=True)
class EqualErrorRate:
    """Where the two curves cross.

    Attributes:
        value: the rate at the crossing of the piecewise linear curves, 0 to 1.
        threshold: the threshold at which the two measured rates are nearest.
    """

    value: float
    threshold: float


@dataclass(frozen=True)
class TarAtFmr:
    """TAR (1 − FNMR) at a target FMR.

    Attributes:
        target: the FMR aimed at.
        threshold: lowest threshold that keeps it; None if the comparisons are too few to claim it.
        fmr: the FMR measured there.
        tar: 1 − FNMR measured there; `errors` counts true matches.
        note: what limits the claim, empty if nothing does.
    """

    target: float
    threshold: float | None
    fmr: Rate | None
    tar: Rate | None
    note: str


def split_comparisons(scores: ArrayLike, mated: ArrayLike) -> tuple[Scores, Scores]:
    """Mated and non-mated scores of one table.

    Raises:
        NotMeasurableError: either kind is missing, or a score is NaN.
    """
    return split_scores(scores, mated, (MATED, NONMATED))


def fmr(nonmated: ArrayLike, threshold: float, confidence: float = 0.95) -> Rate:
    """False match rate: non-mated comparisons at or above the threshold."""
    return rate_accepted(nonmated, threshold, NONMATED, confidence)


def fnmr(mated: ArrayLike, threshold: float, confidence: float = 0.95) -> Rate:
    """False non-match rate: mated comparisons below the threshold."""
    return rate_rejected(mated, threshold, MATED, confidence)


def error_curves(mated: ArrayLike, nonmated: ArrayLike) -> ErrorCurves:
    """FMR and FNMR at every distinct score.

    Raises:
        NotMeasurableError: either kind is missing, or a score is NaN.
    """
    genuine, impostor = checked(mated, MATED), checked(nonmated, NONMATED)
    scores = np.sort(np.concatenate([genuine, impostor]))
    first = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    thresholds = np.append(scores[first], scores.dtype.type(np.inf))
    below = np.append(first, scores.size)
    del scores, first
    fewer = min(genuine, impostor, key=len)
    at = np.searchsorted(thresholds, np.sort(fewer))
    below_fewer = np.cumsum(np.bincount(at + 1, minlength=below.size))
    below -= below_fewer
    below_impostor, below_genuine = (below, below_fewer) if fewer is genuine else (below_fewer, below)
    false_matches = (impostor.size - below_impostor) / impostor.size
    return ErrorCurves(thresholds, false_matches, below_genuine / genuine.size)


def eer(curves: ErrorCurves) -> EqualErrorRate:
    """Equal error rate: the crossing of FMR and FNMR, straight lines drawn between measured points.

    The threshold lies halfway between two neighbouring scores, so that new scores find room on both sides.
    """
    gap = curves.fmr - curves.fnmr
    after = int(np.searchsorted(-gap, 0.0))
    before = after - 1
    share = gap[before] / (gap[before] - gap[after])
    value = curves.fmr[before] + share * (curves.fmr[after] - curves.fmr[before])
    nearest = after if -gap[after] <= gap[before] else before
    return EqualErrorRate(float(value), _halfway(curves.thresholds, nearest))


def threshold_at_fmr(nonmated: ArrayLike, target: float) -> float:
    """Lowest threshold whose FMR does not exceed the target."""
    return threshold_accepting(nonmated, target, NONMATED)


def tar_table(
    mated: ArrayLike, nonmated: ArrayLike, targets: tuple[float, ...] = TARGETS, confidence: float = 0.95
) -> list[TarAtFmr]:
    """TAR at each target FMR, as far as the number of comparisons can carry the claim.

    A row is left unmeasured where even an error-free set of this size could not show the target
    (about 3 / target comparisons at 95 %); the bound counts comparisons as independent.
    """
    genuine, impostor = checked(mated, MATED), checked(nonmated, NONMATED)
    return [_tar_at(genuine, impostor, target, confidence) for target in targets]


def det_points(curves: ErrorCurves, size: int = 1000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most about 2 × `size` points (FMR, FNMR) of the DET curve, even in normal deviates.

    Points with a rate of 0 or 1 have no place on normal-deviate axes and are left out.
    """
    inner = (curves.fmr > 0) & (curves.fmr < 1) & (curves.fnmr > 0) & (curves.fnmr < 1)
    x, y = curves.fmr[inner], curves.fnmr[inner]
    if x.size > 2 * size:
        ends = ndtri([x[0], x[-1], y[0], y[-1]])
        at_x = np.searchsorted(-x, -ndtr(np.linspace(ends[0], ends[1], size)))
        at_y = np.searchsorted(y, ndtr(np.linspace(ends[2], ends[3], size)))
        keep = np.unique(np.clip(np.concatenate([at_x, at_y]), 0, x.size - 1))
        x, y = x[keep], y[keep]
    return x, y


def _tar_at(genuine: Scores, impostor: Scores, target: float, confidence: float) -> TarAtFmr:
    needed = trials_to_claim(target, confidence)
    if impostor.size < needed:
        bound = zero_error_bound(impostor.size, confidence)
        note = (
            f"{impostor.size:,} non-mated comparisons cannot show an FMR below {bound:.2g} (rule of 3); "
            f"{needed:,} are needed"
        )
        return TarAtFmr(target, None, None, None, note)
    threshold = threshold_at_fmr(impostor, target)
    measured = fmr(impostor, threshold, confidence)
    note = ""
    if measured.errors == 0:
        note = (
            f"no false match seen; FMR below {zero_error_bound(measured.trials, confidence):.2g} (rule of 3)"
        )
    return TarAtFmr(target, threshold, measured, complement(fnmr(genuine, threshold, confidence)), note)


def _halfway(thresholds: Scores, index: int) -> float:
    upper = thresholds[index]
    if index == 0:
        return float(upper)
    lower = thresholds[index - 1]
    if np.isinf(upper):
        return float(np.nextafter(lower, upper))
    middle = thresholds.dtype.type((float(lower) + float(upper)) / 2)
    return float(middle if lower < middle <= upper else upper)

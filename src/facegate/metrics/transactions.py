"""From single comparisons to what a user meets: transactions with failures to acquire, and published protocols.

FMR and FNMR speak of comparisons. At a door a person gets some attempts, and a camera sometimes finds no face;
FAR and FRR (ISO/IEC 19795-1) count that in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.intervals import exact_rate
from facegate.metrics.verification import error_curves, split_comparisons


@dataclass(frozen=True)
class FoldAccuracy:
    """LFW-style result: the threshold is chosen on the other folds.

    Attributes:
        accuracies: per fold, 0 to 1.
        mean: of the folds.
        standard_error: standard deviation of the folds / sqrt(folds).
    """

    accuracies: NDArray[np.float64]
    mean: float
    standard_error: float


def far(fmr: float, failure_to_acquire: float) -> float:
    """False accept rate of one-attempt transactions: FMR × (1 − FTA)."""
    return fmr * (1 - failure_to_acquire)


def frr(fnmr: float, failure_to_acquire: float) -> float:
    """False reject rate of one-attempt transactions: FTA + FNMR × (1 − FTA)."""
    return failure_to_acquire + fnmr * (1 - failure_to_acquire)


def transaction_rates(
    scores: ArrayLike,
    acquired: ArrayLike,
    transactions: ArrayLike,
    mated: ArrayLike,
    threshold: float,
    confidence: float = 0.95,
) -> tuple[Rate, Rate]:
    """FAR and FRR of transactions of one or more attempts; one accepted attempt accepts the transaction.

    Args:
        scores: per attempt; ignored where nothing was acquired.
        acquired: per attempt, whether a sample was acquired.
        transactions: per attempt, the transaction it belongs to.
        mated: per attempt, whether the claim was true.
        threshold: at or above it an attempt is accepted.
        confidence: level of the intervals.

    Raises:
        NotMeasurableError: an acquired attempt has no score, or a transaction mixes true and false claims.
    """
    claim = np.asarray(mated, bool)
    _, code = np.unique(np.asarray(transactions), return_inverse=True)
    attempts, true_claims = np.bincount(code), np.bincount(code, claim)
    if np.any((true_claims > 0) & (true_claims < attempts)):
        raise NotMeasurableError("a transaction holds true and false claims", "give each claim its own id")
    accepted = accepted_transactions(scores, acquired, code, threshold)
    genuine = true_claims > 0
    return (
        exact_rate(int(accepted[~genuine].sum()), int((~genuine).sum()), confidence),
        exact_rate(int((~accepted[genuine]).sum()), int(genuine.sum()), confidence),
    )


def accepted_transactions(
    scores: ArrayLike, acquired: ArrayLike, transactions: ArrayLike, threshold: float
) -> NDArray[np.bool_]:
    """Whether one attempt of each transaction was acquired and accepted.

    Args:
        scores: per attempt, or per attempt and identity claimed, shape (n, …); ignored where nothing was acquired.
        acquired: per attempt, shape (n,).
        transactions: per attempt, the transaction it belongs to, shape (n,).
        threshold: at or above it an attempt is accepted.

    Returns:
        In the order of the sorted transactions, shape (transactions, …).

    Raises:
        NotMeasurableError: an acquired attempt has no score.
    """
    values, got = np.asarray(scores), np.asarray(acquired, bool)
    if np.isnan(values[got]).any():
        raise NotMeasurableError(
            "an acquired attempt has a NaN score", "mark it as not acquired, or score it"
        )
    names, code = np.unique(np.asarray(transactions), return_inverse=True)
    accepted = np.zeros((names.size, *values.shape[1:]), bool)
    np.logical_or.at(accepted, code[got], values[got] >= threshold)
    return accepted


def fold_accuracy(scores: ArrayLike, mated: ArrayLike, folds: ArrayLike) -> FoldAccuracy:
    """Accuracy over folds (LFW, View 2): the best threshold of the other folds, applied to each.

    Args:
        scores: shape (n,).
        mated: shape (n,).
        folds: fold of each comparison, shape (n,).
    """
    values, same, fold = np.asarray(scores), np.asarray(mated, bool), np.asarray(folds)
    names = np.unique(fold)
    if names.size < 2:
        raise NotMeasurableError("one fold leaves nothing to choose the threshold on", "use at least two")
    found = []
    for name in names:
        test = fold == name
        threshold = _most_accurate(values[~test], same[~test])
        found.append(np.mean((values[test] >= threshold) == same[test]))
    accuracies = np.array(found)
    return FoldAccuracy(
        accuracies, float(accuracies.mean()), float(accuracies.std(ddof=1) / np.sqrt(names.size))
    )


def _most_accurate(scores: NDArray[np.floating], mated: NDArray[np.bool_]) -> float:
    genuine, impostor = split_comparisons(scores, mated)
    curves = error_curves(genuine, impostor)
    wrong = curves.fmr * impostor.size + curves.fnmr * genuine.size
    return float(curves.thresholds[np.argmin(wrong)])

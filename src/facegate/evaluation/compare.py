"""Is B better than A? Two score tables of the same samples, tested in pairs.

Separate intervals of two systems overlap long after their difference is certain, because both met the same easy
and hard people. Here both are resampled together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Split
from facegate.errors import NotMeasurableError
from facegate.evaluation.numbers import plain
from facegate.evaluation.tables import Comparisons, Presentations, comparisons, presentations
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, resample
from facegate.metrics.eer_interval import paired_difference, resampled_eers
from facegate.metrics.pad import BONA_FIDE
from facegate.metrics.ranking import auc, resampled_aucs
from facegate.metrics.verification import eer, error_curves
from facegate.params import EvaluateParams


def compare_recognition(
    first: pa.Table, second: pa.Table, thresholds: tuple[float, float], params: EvaluateParams
) -> dict[str, Any]:
    """Difference of two recognition models on the test comparisons.

    Args:
        first: table of system A.
        second: table of system B; the same comparisons, in any order.
        thresholds: each system's own operating threshold, for the share of decisions that differ.
        params: resamples, confidence and seed.

    Returns:
        ``eer``: A, B, B − A with its interval and p-value; ``decisions_flipped``: a ``Rate``.

    Raises:
        NotMeasurableError: the tables hold different comparisons.
    """
    a, b = comparisons(first, Split.TEST), comparisons(second, Split.TEST)
    order_a, order_b = _order(_keys(a)), _order(_keys(b))
    if not np.array_equal(_keys(a)[order_a], _keys(b)[order_b]):
        raise NotMeasurableError(
            "the two tables hold different comparisons", "score both models on the same crops and seed"
        )
    draws = resample(a.subjects, params.bootstrap, params.seed)
    left, right = a.scores[order_a], b.scores[order_b]
    mated, probe = a.mated[order_a], a.probe_subjects[order_a]
    reference = a.reference_subjects[order_a]
    values, samples = zip(
        *(_eers(draws, scores, mated, probe, reference) for scores in (left, right)), strict=True
    )
    flipped = (left >= thresholds[0]) != (right >= thresholds[1])
    return plain(
        {
            "eer": _difference(values, samples, draws, params),
            "decisions_flipped": bootstrap_rate(draws, flipped, probe, reference, params.confidence),
        }
    )


def compare_spoof(
    first: pa.Table, second: pa.Table, thresholds: tuple[float, float], params: EvaluateParams
) -> dict[str, Any]:
    """Difference of two spoof models on the test presentations; see :func:`compare_recognition`.

    Returns:
        ``one_minus_auc``: A, B, B − A with its interval and p-value; ``decisions_flipped``: a ``Rate``.
    """
    a, b = presentations(first, Split.TEST), presentations(second, Split.TEST)
    a, b = (part.at(_order(part.samples.astype(str))) for part in (a, b))
    if not np.array_equal(a.samples, b.samples):
        raise NotMeasurableError(
            "the two tables hold different presentations", "score both models on the same crops"
        )
    draws = resample(a.subjects, params.bootstrap, params.seed)
    flipped = (a.scores >= thresholds[0]) != (b.scores >= thresholds[1])
    return plain(
        {
            "one_minus_auc": one_minus_auc(draws, a, b.scores, params),
            "decisions_flipped": bootstrap_rate(draws, flipped, a.subjects, None, params.confidence),
        }
    )


def one_minus_auc(
    draws: Resamples, first: Presentations, second: NDArray[np.float32], params: EvaluateParams
) -> Mapping[str, Any]:
    """One minus AUC of two systems on the same presentations, and their difference.

    Args:
        draws: resamples of the people.
        first: presentations with the scores of system A.
        second: scores of system B, shape (n,), in that order.
        params: confidence.

    Returns:
        ``a``, ``b``, ``difference`` (B − A) with ``low``, ``high``, ``p_value`` and a ``verdict``.
    """
    genuine, sides = first.species == BONA_FIDE, (first.scores, second)
    values = tuple(1 - auc(scores, genuine) for scores in sides)
    samples = tuple(1 - resampled_aucs(draws, scores, genuine, first.subjects) for scores in sides)
    return _difference(values, samples, draws, params)


def _difference(
    values: tuple[float, ...],
    samples: tuple[NDArray[np.float64], ...],
    draws: Resamples,
    params: EvaluateParams,
) -> Mapping[str, Any]:
    low, high, p = paired_difference(samples[0], samples[1], draws.people.size, params.confidence)
    verdict = "B is better" if high < 0 else "A is better" if low > 0 else "no difference shown"
    return {
        "a": values[0],
        "b": values[1],
        "difference": values[1] - values[0],
        "low": low,
        "high": high,
        "p_value": p,
        "verdict": verdict,
    }


def _eers(
    draws: Resamples,
    scores: NDArray[np.float32],
    mated: NDArray[np.bool_],
    probe: NDArray[np.intp],
    reference: NDArray[np.intp],
) -> tuple[float, NDArray[np.float64]]:
    genuine, impostor = scores[mated], scores[~mated]
    samples = resampled_eers(draws, (genuine, probe[mated]), (impostor, probe[~mated], reference[~mated]))
    return eer(error_curves(genuine, impostor)).value, samples


def _keys(part: Comparisons) -> NDArray[np.str_]:
    names = part.samples.astype(str)
    return np.char.add(np.char.add(names[part.probe], "\n"), names[part.reference])


def _order(keys: NDArray[Any]) -> NDArray[np.intp]:
    return np.argsort(keys, kind="stable")

"""An eye score table into figures: open against closed frame by frame, and blinks clip by clip.

Everything is measured on the crops as they are and again under motion blur and noise (``hard``).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Calibration, OperatingPoint, Split
from facegate.evaluation.eye_blinks import choose_thresholds, evaluate_blinks
from facegate.evaluation.eye_scores import CLOSED, OPEN, Eyes, eyes
from facegate.evaluation.numbers import plain
from facegate.evaluation.spoof_points import measured
from facegate.evaluation.tables import Presentations
from facegate.faces.blink import BlinkParams
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, interval, resample
from facegate.metrics.calibration import choose_map, cllr, fit_logistic, min_cllr
from facegate.metrics.intervals import exact_rate
from facegate.metrics.pad import BONA_FIDE
from facegate.metrics.pad_legacy import pooled_eer
from facegate.metrics.ranking import auc, resampled_aucs
from facegate.metrics.slices import slice_report
from facegate.params import EvaluateParams

_POINT = "eer"


def evaluate_eyes(
    table: pa.Table, about: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]], params: EvaluateParams
) -> dict[str, Any]:
    """Everything that the score table tells; arguments as :func:`~facegate.evaluation.spoof.evaluate_spoof`."""
    val, test = eyes(table, Split.VAL), eyes(table, Split.TEST)
    draws = resample(test.subjects, params.bootstrap, params.seed)
    threshold = operating_points(table, str(about["dataset"]), params)[_POINT].threshold
    limits, _ = choose_thresholds(val)
    return plain(
        {
            "synthetic": bool(about["synthetic"]),
            "dataset": about["dataset"],
            **figures(draws, test, threshold, limits, params),
            "calibration": _calibration(val, test, params),
            "slices": _slices(draws, test, threshold, groups, params),
        }
    )


def figures(
    draws: Resamples, test: Eyes, threshold: float, limits: BlinkParams, params: EvaluateParams
) -> dict[str, Any]:
    """What can be said of any frames at given thresholds.

    Args:
        draws: resamples of their people.
        test: the frames.
        threshold: of single frames: open from there on.
        limits: of the blink state machine.
        params: confidence and seed.
    """
    opened, closed = test.closure <= OPEN, test.closure >= CLOSED
    return {
        "people": len(set(test.subjects)),
        "frames": int(test.scores.size),
        "auc": _auc(draws, test, test.scores, params),
        "auc_hard": _auc(draws, test, test.hard, params),
        "operating_points": {
            _POINT: {
                "threshold": threshold,
                "open_missed": _rate(draws, test, opened, test.scores < threshold, params),
                "closed_missed": _rate(draws, test, closed, test.scores >= threshold, params),
                "open_missed_hard": _rate(draws, test, opened, test.hard < threshold, params),
                "closed_missed_hard": _rate(draws, test, closed, test.hard >= threshold, params),
            }
        },
        "blinks": evaluate_blinks(draws, test, limits, params),
    }


def operating_points(table: pa.Table, dataset: str, params: EvaluateParams) -> dict[str, OperatingPoint]:
    """Thresholds chosen on validation people.

    ``eer``: as many open as closed eyes are taken for the other. ``blink_close`` and ``blink_open``: those of the
    blink state machine, shares of how open the eyes get; what was measured is one minus the F1 of blinks.

    Raises:
        NotMeasurableError: the split lacks open or closed eyes, or a blink.
    """
    part = as_presentations(eyes(table, Split.VAL))
    draws = resample(part.subjects, params.bootstrap, params.seed)
    threshold = pooled_eer(part.scores, part.species).threshold
    rate = measured(draws, part, "EER", threshold, params)
    common: dict[str, Any] = {"dataset": dataset, "split": Split.VAL, "target": None}
    limits, (hits, false, missed) = choose_thresholds(eyes(table, Split.VAL))
    blinks = exact_rate(false + missed, 2 * hits + false + missed)
    return {
        _POINT: OperatingPoint(threshold=threshold, metric="EER", measured=rate, **common),
        "blink_close": OperatingPoint(threshold=limits.close, metric="1 - F1", measured=blinks, **common),
        "blink_open": OperatingPoint(threshold=limits.open, metric="1 - F1", measured=blinks, **common),
    }


def contract_calibration(table: pa.Table, dataset: str) -> Calibration:
    """Logistic map into log-likelihood ratios (open against closed), fitted on validation frames."""
    val = as_presentations(eyes(table, Split.VAL))
    fitted = fit_logistic(val.scores, val.species == BONA_FIDE)
    return Calibration(kind="logistic", slope=fitted.slope, offset=fitted.offset, dataset=f"{dataset} val")


def as_presentations(part: Eyes) -> Presentations:
    """Frames that are clearly open or closed, open ones in the place of bona fide presentations.

    What is known of two classes of scores is the same whatever they are called.
    """
    clear = (part.closure <= OPEN) | (part.closure >= CLOSED)
    kind = np.where(part.closure <= OPEN, BONA_FIDE, "closed").astype(object)
    return Presentations(part.samples[clear], part.subjects[clear], kind[clear], part.scores[clear])


def presentation_table(table: pa.Table) -> pa.Table:
    """An eye table in which open eyes take the place of bona fide presentations, see :func:`as_presentations`."""
    closure = table["closure"].to_numpy()
    kept = table.filter(pa.array((closure <= OPEN) | (closure >= CLOSED)))
    kind = np.where(kept["closure"].to_numpy() <= OPEN, BONA_FIDE, "closed")
    place = kept.schema.get_field_index("species")
    return kept.set_column(place, "species", pa.array(kind.astype(object), pa.string()))


def _auc(draws: Resamples, test: Eyes, scores: NDArray[np.float32], params: EvaluateParams) -> dict[str, Any]:
    clear = (test.closure <= OPEN) | (test.closure >= CLOSED)
    opened = test.closure[clear] <= OPEN
    samples = resampled_aucs(draws, scores[clear], opened, test.subjects[clear])
    low, high = interval(samples, draws.people.size, params.confidence)
    value = auc(scores[clear], opened)
    counts = {"open": int(opened.sum()), "closed": int((~opened).sum())}
    return {"value": value, "low": max(low, 0.0), "high": min(high, 1.0), **counts}


def _rate(
    draws: Resamples, test: Eyes, rows: NDArray[np.bool_], errors: NDArray[np.bool_], params: EvaluateParams
) -> Any:
    return bootstrap_rate(draws, errors[rows], test.subjects[rows], None, params.confidence)


def _calibration(val: Eyes, test: Eyes, params: EvaluateParams) -> dict[str, Any]:
    known, asked = as_presentations(val), as_presentations(test)
    genuine, other = known.species == BONA_FIDE, asked.species == BONA_FIDE
    kind, chosen = choose_map(known.scores, genuine, known.subjects, params.seed)
    logistic = fit_logistic(known.scores, genuine)
    return {
        "chosen_on_val": kind,
        "slope": logistic.slope,
        "offset": logistic.offset,
        "cllr": cllr(chosen(asked.scores), other),
        "cllr_logistic": cllr(logistic(asked.scores), other),
        "min_cllr": min_cllr(asked.scores, other),
    }


def _slices(
    draws: Resamples,
    test: Eyes,
    threshold: float,
    groups: Mapping[str, Mapping[str, str]],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Open eyes called closed, and closed ones called open, by group."""
    found: dict[str, Any] = {"operating_point": _POINT}
    for name, group in groups.items():
        labels = np.array([group[f"{sample}/right"] for sample in test.samples])
        found[name] = {"demographic": False}
        for metric, rows, errors in (
            ("open_missed", test.closure <= OPEN, test.scores < threshold),
            ("closed_missed", test.closure >= CLOSED, test.scores >= threshold),
        ):
            found[name][metric] = slice_report(
                draws, errors[rows], labels[rows], test.subjects[rows], None, params.confidence
            )
    return found

"""A comparison table into the figures of verification and identification.

Thresholds come from the validation people and are applied to the test people, who saw neither training nor the
choice of a threshold. The TAR table alone is read off the test set's own curve, as is the custom, and says so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Calibration, OperatingPoint, Split
from facegate.evaluation.groups import DEMOGRAPHIC, MIXED, Labels, pair_groups
from facegate.evaluation.numbers import plain
from facegate.evaluation.search import identification
from facegate.evaluation.tables import Comparisons, comparisons
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, resample
from facegate.metrics.calibration import choose_map, cllr, fit_logistic, min_cllr
from facegate.metrics.eer_interval import eer_rate
from facegate.metrics.intervals import complement
from facegate.metrics.slices import slice_report
from facegate.metrics.verification import (
    TARGETS,
    eer,
    error_curves,
    split_comparisons,
    tar_table,
    threshold_at_fmr,
)
from facegate.params import EvaluateParams


def evaluate_recognition(
    table: pa.Table, about: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]], params: EvaluateParams
) -> dict[str, Any]:
    """Everything that the score table tells.

    Args:
        table: a comparison table with validation and test comparisons.
        about: what the table says of itself (data set, synthetic or not).
        groups: per column, the group of each sample id; empty for no slices.
        params: resamples, confidence and seed.

    Returns:
        Plain JSON values; rates are ``Rate`` objects dumped.

    Raises:
        NotMeasurableError: a split lacks mated or non-mated comparisons.
    """
    val, test = comparisons(table, Split.VAL), comparisons(table, Split.TEST)
    draws = resample(test.subjects, params.bootstrap, params.seed)
    points = operating_points(val, str(about["dataset"]), params)
    labels = {name: np.array([group[s] for s in test.samples]) for name, group in groups.items()}
    mated = test.mated
    result = {
        "synthetic": bool(about["synthetic"]),
        "dataset": about["dataset"],
        "people": test.people.size,
        "pictures": test.samples.size,
        "eer": _eer(draws, test, params),
        "operating_points": {
            name: {
                "threshold": point.threshold,
                "fmr": _rate(draws, test, ~mated, test.scores >= point.threshold, params),
                "fnmr": _rate(draws, test, mated, test.scores < point.threshold, params),
            }
            for name, point in points.items()
        },
        "tar_at_fmr": _tar(draws, test, params),
        "calibration": _calibration(val, test, params),
        "identification": identification(val, test, params),
        "slices": _slices(draws, test, points, labels, params),
    }
    return plain(result)


def operating_points(val: Comparisons, dataset: str, params: EvaluateParams) -> dict[str, OperatingPoint]:
    """Named thresholds, chosen on the validation comparisons: ``eer``, ``fmr_1e-2``, ``fmr_1e-3`` …

    A target finer than one error among all non-mated comparisons is left out.
    """
    draws = resample(val.subjects, params.bootstrap, params.seed)
    genuine, impostor = split_comparisons(val.scores, val.mated)
    found = {
        f"fmr_{target:.0e}".replace("e-0", "e-"): OperatingPoint(
            threshold=(threshold := threshold_at_fmr(impostor, target)),
            metric="FMR",
            target=target,
            measured=_rate(draws, val, ~val.mated, val.scores >= threshold, params),
            dataset=dataset,
            split=Split.VAL,
        )
        for target in TARGETS
        if impostor.size * target >= 1
    }
    found["eer"] = OperatingPoint(
        threshold=eer(error_curves(genuine, impostor)).threshold,
        metric="EER",
        target=None,
        measured=_eer(draws, val, params),
        dataset=dataset,
        split=Split.VAL,
    )
    return found


def contract_calibration(table: pa.Table, dataset: str) -> Calibration:
    """Logistic map into log-likelihood ratios for the model contract, fitted on validation comparisons."""
    val = comparisons(table, Split.VAL)
    fitted = fit_logistic(val.scores, val.mated)
    return Calibration(kind="logistic", slope=fitted.slope, offset=fitted.offset, dataset=f"{dataset} val")


def _eer(draws: Resamples, part: Comparisons, params: EvaluateParams):
    mated, probe, reference = part.mated, part.probe_subjects, part.reference_subjects
    return eer_rate(
        draws,
        (part.scores[mated], probe[mated]),
        (part.scores[~mated], probe[~mated], reference[~mated]),
        params.confidence,
    )


def _rate(
    draws: Resamples,
    part: Comparisons,
    rows: NDArray[np.bool_],
    errors: NDArray[np.bool_],
    params: EvaluateParams,
):
    first, second = part.probe_subjects[rows], part.reference_subjects[rows]
    return bootstrap_rate(draws, errors[rows], first, second, params.confidence)


def _tar(draws: Resamples, test: Comparisons, params: EvaluateParams) -> dict[str, Any]:
    genuine, impostor = split_comparisons(test.scores, test.mated)
    rows: dict[str, Any] = {"threshold_from": "test"}
    for row in tar_table(genuine, impostor, confidence=params.confidence):
        name = f"{row.target:.0e}".replace("e-0", "e-")
        if row.threshold is None:
            rows[name] = {"note": row.note}
            continue
        missed = _rate(draws, test, test.mated, test.scores < row.threshold, params)
        rows[name] = {"threshold": row.threshold, "fmr": row.fmr, "tar": complement(missed), "note": row.note}
    return rows


def _calibration(val: Comparisons, test: Comparisons, params: EvaluateParams) -> dict[str, Any]:
    people = val.probe_subjects
    kind, chosen = choose_map(val.scores, val.mated, people, params.seed)
    logistic = fit_logistic(val.scores, val.mated)
    return {
        "chosen_on_val": kind,
        "slope": logistic.slope,
        "offset": logistic.offset,
        "cllr": cllr(chosen(test.scores), test.mated),
        "cllr_logistic": cllr(logistic(test.scores), test.mated),
        "min_cllr": min_cllr(test.scores, test.mated),
    }


def _slices(
    draws: Resamples,
    test: Comparisons,
    points: Mapping[str, OperatingPoint],
    labels: Mapping[str, Labels],
    params: EvaluateParams,
) -> dict[str, Any]:
    point = "fmr_1e-2" if "fmr_1e-2" in points else "eer"
    threshold = points[point].threshold
    found: dict[str, Any] = {"operating_point": point}
    for name, groups in labels.items():
        pair = pair_groups(groups, test.probe, test.reference)
        found[name] = {"demographic": name in DEMOGRAPHIC}
        for metric, rows, errors in (
            ("fnmr", test.mated, test.scores < threshold),
            ("fmr", ~test.mated & (pair != MIXED), test.scores >= threshold),
        ):
            if rows.any():
                first, second = test.probe_subjects[rows], test.reference_subjects[rows]
                found[name][metric] = slice_report(
                    draws, errors[rows], pair[rows], first, second, params.confidence
                )
    return found

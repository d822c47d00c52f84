"""A presentation table into the figures of ISO/IEC 30107-3, threshold from the validation people.

APCER counts attacks accepted, per species; BPCER counts bona fide presentations refused. The orientation is that
of :mod:`facegate.metrics.pad` and decided nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import Split
from facegate.errors import NotMeasurableError
from facegate.evaluation.groups import DEMOGRAPHIC
from facegate.evaluation.numbers import plain
from facegate.evaluation.spoof_points import (
    TARGETS,
    columns,
    headline_point,
    measured,
    operating_points,
    rates_at,
)
from facegate.evaluation.tables import Presentations, presentations
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, interval, resample
from facegate.metrics.calibration import choose_map, cllr, fit_logistic, min_cllr
from facegate.metrics.pad import (
    BONA_FIDE,
    PadRates,
    by_species,
    split_presentations,
    threshold_at_bpcer,
)
from facegate.metrics.pad_legacy import acer, hter, tpr_at_fpr
from facegate.metrics.ranking import auc, resampled_aucs
from facegate.metrics.slices import slice_report
from facegate.params import EvaluateParams


def evaluate_spoof(
    table: pa.Table, about: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]], params: EvaluateParams
) -> dict[str, Any]:
    """Everything that the score table tells.

    Args:
        table: a presentation table of the validation and test splits.
        about: what the table says of itself (data set, synthetic or not).
        groups: per column, the group of each sample id; empty for no slices.
        params: resamples, confidence and seed.

    Returns:
        Plain JSON values; rates are ``Rate`` objects dumped.

    Raises:
        NotMeasurableError: a split lacks bona fide presentations or attacks.
    """
    val, test = presentations(table, Split.VAL), presentations(table, Split.TEST)
    draws = resample(test.subjects, params.bootstrap, params.seed)
    points = operating_points(val, str(about["dataset"]), params)
    at = {name: rates_at(draws, test, point.threshold, params) for name, point in points.items()}
    shown = headline_point(points)
    result = {
        "synthetic": bool(about["synthetic"]),
        "dataset": about["dataset"],
        **figures(draws, test, at, params),
        "calibration": _calibration(val, test, params),
        "slices": _slices(draws, test, shown, points[shown].threshold, groups, params),
        "legacy": _legacy(test, at[shown], params),
    }
    return plain(result)


def figures(
    draws: Resamples, test: Presentations, at: Mapping[str, PadRates], params: EvaluateParams
) -> dict[str, Any]:
    """What presentations tell of a model: how many they are, areas under the ROC, rates.

    Args:
        draws: resamples of their subjects.
        test: the presentations.
        at: rates by operating point.
        params: resamples, confidence and seed.
    """
    return {
        "people": len(set(test.subjects)),
        "presentations": test.scores.size,
        "auc": _auc(draws, test, params),
        "auc_by_species": {name: _auc(draws, test, params, name) for name in by_species(*columns(test))},
        "operating_points": {name: _dumped(rates) for name, rates in at.items()},
        "on_test_curve": _on_test_curve(draws, test, params),
    }


def _on_test_curve(draws: Resamples, test: Presentations, params: EvaluateParams) -> dict[str, Any]:
    """Rates where the test people's own BPCER reaches each target: points of their curve, and no thresholds to deploy."""
    bona_fide, _ = split_presentations(*columns(test))
    return {
        f"bpcer_{100 * target:g}": _dumped(
            rates_at(draws, test, threshold_at_bpcer(bona_fide, target), params)
        )
        for target in TARGETS
        if bona_fide.size * target >= 1
    }


def _dumped(rates: PadRates) -> dict[str, Any]:
    return {
        "threshold": rates.threshold,
        "bpcer": rates.bpcer,
        "worst_species": rates.worst_species,
        "worst_apcer": rates.worst_apcer,
        "apcer": dict(rates.apcer),
    }


def _auc(draws: Resamples, test: Presentations, params: EvaluateParams, species: str = "") -> dict[str, Any]:
    bona_fide = test.species == BONA_FIDE
    rows = bona_fide | (test.species == species) if species else np.ones(bona_fide.size, bool)
    samples = resampled_aucs(draws, test.scores[rows], bona_fide[rows], test.subjects[rows])
    try:
        low, high = interval(samples, draws.people.size, params.confidence)
    except NotMeasurableError:  # the species is shown by so few people that many resamples lack it
        low, high = 0.0, 1.0
    return {
        "value": auc(test.scores[rows], bona_fide[rows]),
        "low": max(low, 0.0),
        "high": min(high, 1.0),
        "bona_fide": int(bona_fide.sum()),
        "attacks": int((rows & ~bona_fide).sum()),
    }


def _calibration(val: Presentations, test: Presentations, params: EvaluateParams) -> dict[str, Any]:
    genuine, other = val.species == BONA_FIDE, test.species == BONA_FIDE
    kind, chosen = choose_map(val.scores, genuine, val.subjects, params.seed)
    logistic = fit_logistic(val.scores, genuine)
    return {
        "chosen_on_val": kind,
        "slope": logistic.slope,
        "offset": logistic.offset,
        "cllr": cllr(chosen(test.scores), other),
        "cllr_logistic": cllr(logistic(test.scores), other),
        "min_cllr": min_cllr(test.scores, other),
    }


def _slices(
    draws: Resamples,
    test: Presentations,
    point: str,
    threshold: float,
    groups: Mapping[str, Mapping[str, str]],
    params: EvaluateParams,
) -> dict[str, Any]:
    bona_fide = test.species == BONA_FIDE
    found: dict[str, Any] = {"operating_point": point}
    for name, group in groups.items():
        labels = np.array([group[sample] for sample in test.samples])
        found[name] = {"demographic": name in DEMOGRAPHIC}
        for metric, rows, errors in (
            ("bpcer", bona_fide, test.scores < threshold),
            ("apcer", ~bona_fide, test.scores >= threshold),
        ):
            found[name][metric] = slice_report(
                draws, errors[rows], labels[rows], test.subjects[rows], None, params.confidence
            )
    return found


def _legacy(test: Presentations, rates: PadRates, params: EvaluateParams) -> dict[str, Any]:
    draws = resample(test.subjects, params.bootstrap, params.seed)
    pooled = test.species != BONA_FIDE
    return {
        "note": "not in ISO/IEC 30107-3; only for comparison with older tables",
        "acer": acer(rates),
        "hter": hter(*columns(test), rates.threshold),
        "pooled_apcer": bootstrap_rate(
            draws, test.scores[pooled] >= rates.threshold, test.subjects[pooled], None, params.confidence
        ),
        "eer_on_test": measured(draws, test, "EER", rates.threshold, params),
        "celeba_spoof_tpr_at_fpr": {
            f"{row.target:g}": {"fpr": row.fpr, "tpr": row.tpr, "threshold": row.threshold}
            for row in tpr_at_fpr(*columns(test))
            if row.fpr.trials * row.target >= 1
        },
    }

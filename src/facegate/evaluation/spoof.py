"""A presentation table into the figures of ISO/IEC 30107-3, threshold from the validation people.

APCER counts attacks accepted, per species; BPCER counts bona fide presentations refused. The orientation is that
of :mod:`facegate.metrics.pad` and decided nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import Calibration, OperatingPoint, Rate, Split
from facegate.evaluation.groups import DEMOGRAPHIC
from facegate.evaluation.numbers import plain
from facegate.evaluation.tables import Presentations, presentations
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, bootstrap_rates, interval, resample
from facegate.metrics.calibration import choose_map, cllr, fit_logistic, min_cllr
from facegate.metrics.eer_interval import eer_rate
from facegate.metrics.pad import (
    BONA_FIDE,
    PadRates,
    by_species,
    split_presentations,
    threshold_at_apcer,
    threshold_at_bpcer,
    worst_species,
)
from facegate.metrics.pad_legacy import acer, hter, pooled_eer, tpr_at_fpr
from facegate.metrics.ranking import auc, resampled_aucs
from facegate.metrics.slices import slice_report
from facegate.params import EvaluateParams

TARGETS = (0.01, 0.05, 0.1)
"""Rates for which operating points are named: ``bpcer_5``, ``apcer_1`` …, in percent."""


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
        "people": len(set(test.subjects)),
        "presentations": test.scores.size,
        "auc": _auc(draws, test, params),
        "auc_by_species": {name: _auc(draws, test, params, name) for name in by_species(*_columns(test))},
        "operating_points": {name: _dumped(rates) for name, rates in at.items()},
        "calibration": _calibration(val, test, params),
        "slices": _slices(draws, test, shown, points[shown].threshold, groups, params),
        "legacy": _legacy(test, at[shown], params),
    }
    return plain(result)


def operating_points(val: Presentations, dataset: str, params: EvaluateParams) -> dict[str, OperatingPoint]:
    """Named thresholds, chosen on the validation presentations: ``eer``, ``bpcer_5``, ``apcer_5`` …

    ``apcer_5`` holds for every species (BPCER there is BPCER20). A target finer than one error among the
    presentations is left out. ``eer`` is that of all attacks pooled; it is always there.
    """
    draws = resample(val.subjects, params.bootstrap, params.seed)
    bona_fide, _ = split_presentations(*_columns(val))
    fewest = min(values.size for values in by_species(*_columns(val)).values())
    thresholds: dict[str, tuple[str, float | None, float]] = {
        "eer": ("EER", None, pooled_eer(*_columns(val)).threshold)
    }
    for target in TARGETS:
        if bona_fide.size * target >= 1:
            thresholds[f"bpcer_{100 * target:g}"] = ("BPCER", target, threshold_at_bpcer(bona_fide, target))
        if fewest * target >= 1:
            threshold = threshold_at_apcer(*_columns(val), target)
            thresholds[f"apcer_{100 * target:g}"] = ("APCER", target, threshold)
    return {
        name: OperatingPoint(
            threshold=threshold,
            metric=metric,
            target=target,
            measured=_measured(draws, val, metric, threshold, params),
            dataset=dataset,
            split=Split.VAL,
        )
        for name, (metric, target, threshold) in thresholds.items()
    }


def headline_point(points: Mapping[str, Any]) -> str:
    """The operating point that reports put first: ``bpcer_5`` where there is one."""
    return next(name for name in ("bpcer_5", "bpcer_10", "eer") if name in points)


def rates_at(draws: Resamples, part: Presentations, threshold: float, params: EvaluateParams) -> PadRates:
    """APCER per species and BPCER at a threshold, with intervals over people."""
    names, code = np.unique(part.species.astype(str), return_inverse=True)
    attack = part.species != BONA_FIDE
    errors = np.where(attack, part.scores >= threshold, part.scores < threshold)
    found = bootstrap_rates(draws, errors, code, names.size, part.subjects, confidence=params.confidence)
    rates = dict(zip(names.tolist(), found, strict=True))
    bpcer = rates.pop(BONA_FIDE)
    return PadRates(threshold, rates, worst_species(rates), bpcer)


def contract_calibration(table: pa.Table, dataset: str) -> Calibration:
    """Logistic map into log-likelihood ratios for the model contract, fitted on validation presentations."""
    val = presentations(table, Split.VAL)
    fitted = fit_logistic(val.scores, val.species == BONA_FIDE)
    return Calibration(kind="logistic", slope=fitted.slope, offset=fitted.offset, dataset=f"{dataset} val")


def _columns(part: Presentations):
    return part.scores, part.species


def _measured(
    draws: Resamples, val: Presentations, metric: str, threshold: float, params: EvaluateParams
) -> Rate:
    if metric == "EER":
        bona_fide = val.species == BONA_FIDE
        return eer_rate(
            draws,
            (val.scores[bona_fide], val.subjects[bona_fide]),
            (val.scores[~bona_fide], val.subjects[~bona_fide], None),
            params.confidence,
        )
    rates = rates_at(draws, val, threshold, params)
    return rates.bpcer if metric == "BPCER" else rates.worst_apcer


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
    low, high = interval(samples, draws.people.size, params.confidence)
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
        "hter": hter(*_columns(test), rates.threshold),
        "pooled_apcer": bootstrap_rate(
            draws, test.scores[pooled] >= rates.threshold, test.subjects[pooled], None, params.confidence
        ),
        "eer_on_test": _measured(draws, test, "EER", rates.threshold, params),
        "celeba_spoof_tpr_at_fpr": {
            f"{row.target:g}": {"fpr": row.fpr, "tpr": row.tpr, "threshold": row.threshold}
            for row in tpr_at_fpr(*_columns(test))
            if row.fpr.trials * row.target >= 1
        },
    }

"""Named thresholds of a spoof model: chosen on validation people, carried by the model contract."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Calibration, OperatingPoint, Rate, Split
from facegate.evaluation.tables import Presentations, presentations
from facegate.metrics.bootstrap import Resamples, bootstrap_rates, resample
from facegate.metrics.calibration import fit_logistic
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
from facegate.metrics.pad_legacy import pooled_eer
from facegate.params import EvaluateParams

TARGETS = (0.01, 0.05, 0.1)
"""Rates for which operating points are named: ``bpcer_5``, ``apcer_1`` …, in percent."""


def operating_points(val: Presentations, dataset: str, params: EvaluateParams) -> dict[str, OperatingPoint]:
    """Named thresholds, chosen on the validation presentations: ``eer``, ``bpcer_5``, ``apcer_5`` …

    ``apcer_5`` holds for every species (BPCER there is BPCER20). A target finer than one error among the
    presentations is left out. ``eer`` is that of all attacks pooled; it is always there.
    """
    draws = resample(val.subjects, params.bootstrap, params.seed)
    bona_fide, _ = split_presentations(*columns(val))
    fewest = min(values.size for values in by_species(*columns(val)).values())
    thresholds: dict[str, tuple[str, float | None, float]] = {
        "eer": ("EER", None, pooled_eer(*columns(val)).threshold)
    }
    for target in TARGETS:
        if bona_fide.size * target >= 1:
            thresholds[f"bpcer_{100 * target:g}"] = ("BPCER", target, threshold_at_bpcer(bona_fide, target))
        if fewest * target >= 1:
            threshold = threshold_at_apcer(*columns(val), target)
            thresholds[f"apcer_{100 * target:g}"] = ("APCER", target, threshold)
    return {
        name: OperatingPoint(
            threshold=threshold,
            metric=metric,
            target=target,
            measured=measured(draws, val, metric, threshold, params),
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


def columns(part: Presentations) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
    """Scores and species, as the functions of ``metrics.pad`` take them."""
    return part.scores, part.species


def measured(
    draws: Resamples, val: Presentations, metric: str, threshold: float, params: EvaluateParams
) -> Rate:
    """The rate that a threshold was set for: EER over all attacks pooled, BPCER, or the worst species' APCER."""
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

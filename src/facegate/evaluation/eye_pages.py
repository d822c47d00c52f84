"""Plots and report page of an eye model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import ModelContract, Split
from facegate.datasets.pack import Pack
from facegate.evaluation import sections
from facegate.evaluation.eye_blinks import RATES
from facegate.evaluation.eye_scores import CLOSED, OPEN, eyes
from facegate.evaluation.figures import WORST, Figures
from facegate.evaluation.sections import rate
from facegate.metrics.calibration import fit_isotonic, fit_logistic, reliability
from facegate.reporting import plots
from facegate.reporting.page import Page, Picture, Section, Table, with_interval
from facegate.reporting.sheet import contact_sheet

_POINT = "eer"


def eye_figures(out: Figures, table: pa.Table, metrics: Mapping[str, Any], pack: Pack) -> None:
    """Draw all plots of an eye model; see :func:`~facegate.evaluation.figures.recognition_figures`."""
    val, test = eyes(table, Split.VAL), eyes(table, Split.TEST)
    threshold = metrics["operating_points"][_POINT]["threshold"]
    opened, closed = test.closure <= OPEN, test.closure >= CLOSED
    groups = {"open": test.scores[opened], "closed": test.scores[closed]}
    plots.histograms(out["scores"], groups, {_POINT: threshold}, "openness score", out.synthetic)
    seen = {}
    clear = {id(part): (part.closure <= OPEN) | (part.closure >= CLOSED) for part in (val, test)}
    for name, fit in (("logistic", fit_logistic), ("isotonic", fit_isotonic)):
        fitted = fit(val.scores[clear[id(val)]], val.closure[clear[id(val)]] <= OPEN)
        stated, share, positive, negative = reliability(
            fitted(test.scores[clear[id(test)]]), test.closure[clear[id(test)]] <= OPEN
        )
        seen[name] = stated[positive + negative >= 10], share[positive + negative >= 10]
    plots.reliability(out["reliability"], seen, out.synthetic)
    shut, wide = np.flatnonzero(closed), np.flatnonzero(opened)
    worst = [
        *shut[np.argsort(-test.scores[shut], kind="stable")[:WORST]],
        *wide[np.argsort(test.scores[wide], kind="stable")[:WORST]],
    ]
    rows = pack.rows_named(f"{test.samples[k]}/{side}" for k in worst for side in ("right", "left"))
    cells = [
        (
            list(pack.images(pair)),
            [f"closure {test.closure[k]:.2f}", f"score {test.scores[k]:.3f}", str(test.samples[k])[-26:]],
        )
        for k, pair in zip(worst, rows.reshape(-1, 2), strict=True)
    ]
    contact_sheet(out["worst"], cells)


def eye_page(
    metrics: Mapping[str, Any], contract: ModelContract, out: Figures, baselines: Mapping[str, Any]
) -> Page:
    """Page of an eye model; there is no baseline."""
    del baselines
    at = metrics["operating_points"][_POINT]
    rows = [
        (name, with_interval(rate(at[f"{name}_missed"])), with_interval(rate(at[f"{name}_missed_hard"])))
        for name in ("open", "closed")
    ]
    lead = (
        "An eye is open up to a closure of 0.35 and closed from 0.65. The threshold was set on validation people and "
        "applied to test people; intervals resample people."
    )
    head = ("eyes taken for the opposite", "as they are", "motion blur and noise")
    errors = Section("Errors", lead, (Picture(out["scores"], "Histogram of scores"),), (Table(head, rows),))
    worst = "Above, closed eyes that look most open to the model; below, open eyes that look most closed."
    return Page(
        f"{contract.name} · {contract.quantisation.target}",
        f"Are the eyes open? {metrics['people']} test people, {metrics['frames']:,} faces of {metrics['dataset']}.",
        metrics["synthetic"],
        [
            ("Blink events, F1 under motion blur and noise", _figure(metrics["blinks"]["as filmed"]["hard"])),
            ("Area under ROC", _figure(metrics["auc"])),
            ("Closed eyes called open", rate(at["closed_missed"])),
        ],
        [
            errors,
            _blinks(metrics["blinks"]),
            sections.calibration(metrics, out),
            sections.worst_errors(out, worst),
            sections.recipe(metrics, contract),
        ],
    )


def _blinks(found: Mapping[str, Any]) -> Section:
    rows = [
        (name, kind, _figure(found[name][kind]), *_counts(found[name][kind]))
        for name in RATES
        for kind in ("clean", "hard")
    ]
    rows += [
        (f"as filmed: {name.replace('_', ' ')}", "hard", _figure(entry), *_counts(entry))
        for name, entry in found["by_species"].items()
    ]
    lead = (
        f"Blinks from the score by two thresholds ({found['close']:.2f} and {found['open']:.2f}) on {found['clips']} "
        "clips; hard is motion blur and noise on every crop. A missing blink speaks against nobody."
    )
    return Section(
        "Blinks", lead, tables=(Table(("frames", "crops", "F1", "found", "false", "missed"), rows),)
    )


def _figure(found: Mapping[str, Any]) -> str:
    if "value" not in found:
        return "–"
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _counts(found: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(found["hits"]), str(found["false"]), str(found["missed"])

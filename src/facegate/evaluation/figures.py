"""Score tables into plot files: what each task's plots show, and where its worst errors are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Rate, Split
from facegate.datasets.pack import Pack
from facegate.evaluation.cues import cue_figure
from facegate.evaluation.spoof_points import headline_point
from facegate.evaluation.tables import comparisons, presentations
from facegate.faces.film import unroll
from facegate.metrics.calibration import fit_isotonic, fit_logistic, reliability
from facegate.metrics.pad import BONA_FIDE, by_species, split_presentations
from facegate.metrics.verification import error_curves, split_comparisons
from facegate.reporting import plots
from facegate.reporting.sheet import contact_sheet

WORST = 8
FEWEST_IN_BIN = 10
"""Bins of the reliability plot with fewer scores are left out."""


@dataclass(frozen=True)
class Figures:
    """Where the plots of one model lie.

    Attributes:
        folder: of the files.
        synthetic: they show rendered people.
    """

    folder: Path
    synthetic: bool

    def __getitem__(self, name: str) -> Path:
        """File of a plot; the worst errors are a JPEG."""
        return self.folder / (f"{name}.jpg" if name == "worst" else f"{name}.png")


def recognition_figures(out: Figures, table: pa.Table, metrics: Mapping[str, Any], pack: Pack) -> None:
    """Draw all plots of a recognition model.

    Args:
        out: where to.
        table: its comparison table.
        metrics: what :func:`~facegate.evaluation.recognition.evaluate_recognition` made of it.
        pack: the crops, for the sheet of worst errors.
    """
    val, test = comparisons(table, Split.VAL), comparisons(table, Split.TEST)
    genuine, impostor = split_comparisons(test.scores, test.mated)
    points = metrics["operating_points"]
    at = {name: (point["fmr"]["value"], point["fnmr"]["value"]) for name, point in points.items()}
    labels = ("false match rate", "false non-match rate")
    plots.det(out["det"], {"test": error_curves(genuine, impostor)}, at, labels, out.synthetic)
    thresholds = {name: point["threshold"] for name, point in points.items()}
    groups = {"mated": genuine, "non-mated": impostor}
    plots.histograms(out["scores"], groups, thresholds, "cosine similarity", out.synthetic)
    _reliability(out, (val.scores, val.mated), (test.scores, test.mated))
    shown = metrics["slices"]["operating_point"]
    _slices(out, metrics, "fnmr", points[shown]["fnmr"]["value"])
    if "turning" in metrics:
        plots.turning(out["turning"], metrics["turning"]["bands"], ("fnmr", "fmr"), out.synthetic)
    if "robustness" in metrics:
        plots.robustness(out["robustness"], metrics["robustness"], ("fnmr", "fmr"), out.synthetic)
    strangers, mates = np.flatnonzero(~test.mated), np.flatnonzero(test.mated)
    worst = [
        *strangers[np.argsort(-test.scores[strangers], kind="stable")[:WORST]],
        *mates[np.argsort(test.scores[mates], kind="stable")[:WORST]],
    ]
    rows, cells = pack.rows_named(test.samples), []
    for k in worst:
        pair = [test.probe[k], test.reference[k]]
        kind = "same person" if test.mated[k] else "two people"
        cells.append(
            (
                list(pack.images(rows[pair])),
                [f"{kind}, score {test.scores[k]:.3f}", *map(_short, test.samples[pair])],
            )
        )
    contact_sheet(out["worst"], cells)


def spoof_figures(out: Figures, table: pa.Table, metrics: Mapping[str, Any], pack: Pack) -> None:
    """Draw all plots of a spoof model; see :func:`recognition_figures`."""
    val, test = presentations(table, Split.VAL), presentations(table, Split.TEST)
    species = by_species(test.scores, test.species)
    bona_fide, _ = split_presentations(test.scores, test.species)
    points = metrics["operating_points"]
    shown = headline_point(points)
    curves = {name.replace("_", " "): error_curves(bona_fide, attacks) for name, attacks in species.items()}
    at = {shown: (points[shown]["worst_apcer"]["value"], points[shown]["bpcer"]["value"])}
    plots.det(out["det"], curves, at, ("APCER", "BPCER"), out.synthetic)
    thresholds = {name: points[name]["threshold"] for name in points if name in (shown, "apcer_5", "eer")}
    groups = {"bona fide": bona_fide, "attacks": np.concatenate(list(species.values()))}
    plots.histograms(out["scores"], groups, thresholds, "bona fide score", out.synthetic)
    rates = {name: Rate.model_validate(rate) for name, rate in points[shown]["apcer"].items()}
    bpcer = Rate.model_validate(points[shown]["bpcer"])
    plots.species_bars(out["species"], rates, bpcer, shown, out.synthetic)
    genuine = test.species == BONA_FIDE
    _reliability(out, (val.scores, val.species == BONA_FIDE), (test.scores, genuine))
    _slices(out, metrics, "bpcer", bpcer.value or 0.0)
    if "turning" in metrics:
        plots.turning(out["turning"], metrics["turning"]["bands"], ("bpcer", "apcer"), out.synthetic)
    if "cues" in metrics:
        cue_figure(out["cues"], metrics["cues"], out.synthetic)
    if "robustness" in metrics:
        plots.robustness(out["robustness"], metrics["robustness"], ("bpcer", "apcer"), out.synthetic)
    attacks, live = np.flatnonzero(~genuine), np.flatnonzero(genuine)
    worst = [
        *attacks[np.argsort(-test.scores[attacks], kind="stable")[:WORST]],
        *live[np.argsort(test.scores[live], kind="stable")[:WORST]],
    ]
    rows = pack.rows_named(test.samples)
    cells = [
        (
            _pictures(pack, int(rows[k])),
            [f"{test.species[k]}", f"score {test.scores[k]:.3f}", _short(test.samples[k])],
        )
        for k in worst
    ]
    contact_sheet(out["worst"], cells)


def _reliability(
    out: Figures, val: tuple[NDArray[Any], NDArray[np.bool_]], test: tuple[NDArray[Any], NDArray[np.bool_]]
) -> None:
    maps = {"logistic": fit_logistic(*val), "isotonic": fit_isotonic(*val)}
    seen = {}
    for name, fitted in maps.items():
        stated, share, positive, negative = reliability(fitted(test[0]), test[1])
        enough = positive + negative >= FEWEST_IN_BIN
        seen[name] = stated[enough], share[enough]
    plots.reliability(out["reliability"], seen, out.synthetic)


def _slices(out: Figures, metrics: Mapping[str, Any], metric: str, overall: float) -> None:
    columns = {
        name: {group: Rate.model_validate(rate) for group, rate in found[metric]["rates"].items()}
        for name, found in metrics["slices"].items()
        if name != "operating_point" and metric in found
    }
    if columns:
        plots.slices(out["slices"], columns, overall, metric.upper(), out.synthetic)


def _pictures(pack: Pack, row: int) -> list[NDArray[np.uint8]]:
    """What a sheet shows of a row: the crop, or beginning, middle and end of a film strip."""
    picture = pack.image(row)
    if pack.column("crop")[row] != "clip":
        return [picture]
    frames, _ = unroll(picture)
    return [frames[i] for i in (0, len(frames) // 2, len(frames) - 1)]


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= 28 else f"..{text[-26:]}"

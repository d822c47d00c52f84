"""The evaluate stage: every exported bundle of a task, from crops to report page and completed contract.

Operating points and calibration are measured here, so it is here that the contract is completed: a bundle leaves
as a *candidate* that knows its thresholds.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from facegate.contracts import (
    CROP_COLUMNS,
    Calibration,
    Distribution,
    ModelContract,
    OperatingPoint,
    Split,
    Task,
)
from facegate.datasets.pack import Pack, open_pack
from facegate.evaluation import eyes, recognition, spoof, spoof_points
from facegate.evaluation.baselines import eigenfaces, trivial
from facegate.evaluation.compare import compare_recognition, compare_spoof
from facegate.evaluation.curves import write_curves
from facegate.evaluation.eye_pages import eye_figures, eye_page
from facegate.evaluation.figures import Figures, recognition_figures, spoof_figures
from facegate.evaluation.folds import by_fold
from facegate.evaluation.groups import sample_groups
from facegate.evaluation.headline import headline
from facegate.evaluation.liveness import static_fusion
from facegate.evaluation.pack_figures import pack_figures
from facegate.evaluation.pages import liveness_page, recognition_page, spoof_page
from facegate.evaluation.reference import measured
from facegate.evaluation.robustness import recognition_robustness, spoof_robustness
from facegate.evaluation.scores import Model, write_scores
from facegate.evaluation.tables import comparisons, presentations, read_table
from facegate.params import EvaluateParams
from facegate.reporting.page import write_page
from facegate.runtime.bundle import Bundle, by_target, load_bundle, write_bundle
from facegate.runtime.session import Session

REFERENCE = "fp32"
_PAGES = {
    Task.RECOGNITION: (recognition_figures, recognition_page),
    Task.SPOOF: (spoof_figures, spoof_page),
    Task.LIVENESS: (spoof_figures, liveness_page),
    Task.EYES: (eye_figures, eye_page),
}


@dataclass(frozen=True)
class Places:
    """Folders of one task.

    Attributes:
        crops: the crop pack.
        exported: one bundle per target, ``fp32`` among them.
        candidates: where the completed bundles go.
        scores: where ``<target>.parquet`` go.
        reports: where ``<target>/`` with plots, ``evaluation.json`` and ``report.html`` go.
        beside: what the model is held against: the ONNX file of a recogniser's teacher, or the bundle of the
            one-frame spoof model for a liveness model.
    """

    crops: Path
    exported: Path
    candidates: Path
    scores: Path
    reports: Path
    beside: Path | None = None


def evaluate_task(
    task: Task,
    places: Places,
    params: EvaluateParams,
    session: Callable[[Bundle], Model] = Session,
) -> dict[str, Any]:
    """Evaluate every bundle of a task.

    Args:
        task: any.
        places: where everything lies.
        params: resamples, confidence and seed.
        session: how to run a bundle.

    Returns:
        Headline figures for the metrics file, the same to the digit when nothing has changed.

    Raises:
        BundleError: a bundle is broken, or ``fp32`` is missing.
        NotMeasurableError: the splits are too small for what is asked.
    """
    pack = open_pack(places.crops, CROP_COLUMNS)
    found: dict[str, Any] = {}
    baselines: dict[str, Any] = {}
    for target, folder in by_target(places.exported).items():
        bundle = load_bundle(folder)
        model = session(bundle)
        scores = places.scores / f"{target}.parquet"
        write_scores(model, bundle.contract, places.crops, scores, seed=params.seed)
        table, about = read_table(scores)
        metrics = _measure(task, table, about, pack, params)
        if task is not Task.EYES:
            metrics |= pack_figures(task, table, about, metrics, pack, params)
        if target == REFERENCE:
            baselines = _baselines(task, table, pack, model, bundle.contract, params, places.beside)
            if task in (Task.RECOGNITION, Task.SPOOF):
                metrics["robustness"] = _robustness(task, model, pack, bundle.contract, metrics, params)
        else:
            reference, _ = read_table(places.scores / f"{REFERENCE}.parquet")
            metrics["against_fp32"] = _against(task, reference, table, found[REFERENCE], metrics, params)
        points, calibration = _points(task, table, about["dataset"], params)
        complete(bundle, places.candidates / target, points, calibration, measured(task, table, pack))
        _report(task, places.reports / target, table, metrics, baselines, bundle.contract, pack)
        found[target] = metrics
    return headline(task, found, baselines)


def complete(
    bundle: Bundle,
    folder: Path,
    points: Mapping[str, OperatingPoint],
    calibration: Calibration,
    reference: Mapping[str, Distribution] | None = None,
) -> Bundle:
    """Write a bundle anew with operating points, calibration and the reference for drift in the contract."""
    completed = {
        "operating_points": dict(points),
        "calibration": calibration,
        "measured": dict(reference or {}),
    }
    contract = bundle.contract.model_copy(update=completed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_bundle(folder, bundle.model, contract, bundle.golden.inputs, bundle.golden.outputs)


def _measure(
    task: Task, table: pa.Table, about: Mapping[str, Any], pack: Pack, params: EvaluateParams
) -> dict[str, Any]:
    ids = pack.column("sample_id")
    groups = {name: dict(zip(ids, labels, strict=True)) for name, labels in sample_groups(pack).items()}
    if task is Task.EYES:
        groups = {name: group for name, group in groups.items() if name in ("glasses", "light", "pose")}
        return eyes.evaluate_eyes(table, about, groups, params)
    measure = recognition.evaluate_recognition if task is Task.RECOGNITION else spoof.evaluate_spoof
    found = measure(table, about, groups, params)
    folds = by_fold(table, pack, params.confidence) if task is Task.RECOGNITION else None
    named = {name: pack.metadata[name] for name in ("protocol", "test") if pack.metadata.get(name)}
    return {**found, **named, **({"by_fold": folds} if folds else {})}


def _points(
    task: Task, table: pa.Table, dataset: str, params: EvaluateParams
) -> tuple[dict[str, OperatingPoint], Calibration]:
    if task is Task.RECOGNITION:
        points = recognition.operating_points(comparisons(table, Split.VAL), dataset, params)
        return points, recognition.contract_calibration(table, dataset)
    if task is Task.EYES:
        return eyes.operating_points(table, dataset, params), eyes.contract_calibration(table, dataset)
    points = spoof_points.operating_points(presentations(table, Split.VAL), dataset, params)
    return points, spoof_points.contract_calibration(table, dataset)


def _baselines(
    task: Task,
    table: pa.Table,
    pack: Pack,
    model: Model,
    contract: ModelContract,
    params: EvaluateParams,
    beside: Path | None,
) -> dict[str, Any]:
    if task is Task.RECOGNITION:
        return {"eigenfaces": eigenfaces(pack, table, params)} | _teacher(table, pack, model, params, beside)
    if task is Task.LIVENESS:
        return {"static": static_fusion(pack, table, beside, params)} if beside else {}
    if task is Task.EYES:
        return {}
    return {"trivial": trivial(pack, contract.input.crop_factor)}


def _teacher(
    table: pa.Table, pack: Pack, model: Model, params: EvaluateParams, beside: Path | None
) -> dict[str, Any]:
    if beside is None:
        return {}
    from facegate.evaluation.teacher import beside_teacher  # torch is slow to import, and only this needs it

    return {"teacher": beside_teacher(pack, table, model, beside, params)}


def _robustness(
    task: Task,
    model: Model,
    pack: Pack,
    contract: ModelContract,
    metrics: Mapping[str, Any],
    params: EvaluateParams,
) -> dict[str, Any]:
    threshold = metrics["operating_points"][metrics["slices"]["operating_point"]]["threshold"]
    if task is Task.RECOGNITION:
        return recognition_robustness(model, pack, threshold, params)
    return spoof_robustness(model, pack, threshold, contract.classes.index("bona_fide"), params)


def _against(
    task: Task,
    reference: pa.Table,
    table: pa.Table,
    reference_metrics: Mapping[str, Any],
    metrics: Mapping[str, Any],
    params: EvaluateParams,
) -> dict[str, Any]:
    point = reference_metrics["slices"]["operating_point"]
    thresholds = (
        reference_metrics["operating_points"][point]["threshold"],
        metrics["operating_points"][point]["threshold"],
    )
    if task is Task.EYES:
        reference, table = eyes.presentation_table(reference), eyes.presentation_table(table)
    compare = compare_recognition if task is Task.RECOGNITION else compare_spoof
    return compare(reference, table, thresholds, params)


def _report(
    task: Task,
    folder: Path,
    table: pa.Table,
    metrics: Mapping[str, Any],
    baselines: Mapping[str, Any],
    contract: ModelContract,
    pack: Pack,
) -> None:
    out = Figures(folder, bool(metrics["synthetic"]))
    draw, page = _PAGES[task]
    draw(out, table, metrics, pack)
    if task is not Task.EYES:
        write_curves(folder / "errors.csv", task, table)
    write_page(folder / "report.html", page(metrics, contract, out, baselines))
    text = json.dumps({**metrics, "baselines": baselines}, indent=1, sort_keys=True, allow_nan=False)
    (folder / "evaluation.json").write_text(text + "\n")

"""What a gate may ask about a release: rates, numbers and flags, read from the evidence inside it.

Error rates are the evaluation's own, with its intervals over people. Until a system evaluation measures them
together, two rates of the whole system are bounded from its parts, which can only be worse than the truth:
an impostor attack must pass the spoof model *and* the matcher, so IAPAR is at most the worst species' APCER; a
person is refused by one or the other, so the false rejects are at most their sum.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from facegate.contracts import Frozen, Rate, Task
from facegate.errors import BundleError, RegistryError
from facegate.registry.evidence import BENCHMARK, EVALUATION, VALIDATION
from facegate.registry.release import Manifest, detector_sha256
from facegate.runtime.bundle import load_bundle
from facegate.runtime.session import Session

_SLICED = {Task.RECOGNITION: ("fnmr", "fmr"), Task.SPOOF: ("bpcer", "apcer")}


class Facts(Frozen):
    """Everything measured on a release; a name that is absent was not measured.

    Attributes:
        rates: error rates with their intervals.
        numbers: milliseconds, megabytes.
        flags: what must simply be so.
        notes: by fact, where it comes from or why it is false.
    """

    rates: dict[str, Rate] = Field(default_factory=dict)
    numbers: dict[str, float] = Field(default_factory=dict)
    flags: dict[str, bool] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)


def release_facts(folder: Path, manifest: Manifest) -> Facts:
    """Facts of a release folder.

    Raises:
        RegistryError: the evaluation of a component is missing or lacks its operating point.
    """
    rates: dict[str, Rate] = {}
    numbers: dict[str, float] = {}
    notes: dict[str, str] = {}
    passed = []
    for task, component in manifest.components.items():
        evidence = folder / "evidence" / task
        evaluation = _json(evidence / f"{EVALUATION}.json")
        rates |= _task_rates(task, evaluation, component.operating_point, notes)
        if "against_fp32" in evaluation:
            rates[f"{task}_decisions_flipped"] = _rate(evaluation["against_fp32"]["decisions_flipped"])
        numbers |= _cost(task, evidence / f"{BENCHMARK}.json", component.target)
        validation = evidence / f"{VALIDATION}.json"
        passed.append(validation.is_file() and bool(_json(validation)["passed"]))
    rates |= _system_bounds(rates, notes)
    latencies = [value for name, value in numbers.items() if name.endswith("_latency_ms_p95")]
    if len(latencies) == len(manifest.components):
        numbers["decision_latency_ms_p95"] = sum(latencies)
        notes["decision_latency_ms_p95"] = "sum of the models' p95 at one thread, without the detector"
    flags = {"data_contracts": all(passed), **_flags(folder, manifest, notes)}
    return Facts(rates=rates, numbers=numbers, flags=flags, notes=notes)


def _task_rates(
    task: Task, evaluation: Mapping[str, Any], point: str, notes: dict[str, str]
) -> dict[str, Rate]:
    try:
        at = evaluation["operating_points"][point]
    except KeyError as error:
        raise RegistryError(
            f"the evaluation of {task} has no operating point `{point}`",
            f"choose one of {', '.join(evaluation.get('operating_points', {}))}",
        ) from error
    if task is Task.RECOGNITION:
        found = {"fmr": _rate(at["fmr"]), "fnmr": _rate(at["fnmr"]), "eer": _rate(evaluation["eer"])}
    else:
        found = {"bpcer": _rate(at["bpcer"]), "worst_apcer": _rate(at["worst_apcer"])}
        notes["worst_apcer"] = f"species {at['worst_species']}"
    for metric in _SLICED.get(task, ()):
        worst = _worst_slice(evaluation.get("slices", {}), metric)
        if worst is not None:
            notes[f"worst_slice_{metric}"], found[f"worst_slice_{metric}"] = worst
    for name in found:
        notes[name] = f"{notes[name]}, at {point}" if name in notes else f"at {point}"
    return found


def _worst_slice(slices: Mapping[str, Any], metric: str) -> tuple[str, Rate] | None:
    """Group of the demographic columns with the highest rate."""
    groups = [
        (f"{column}: {group}", _rate(rate))
        for column, found in slices.items()
        if isinstance(found, Mapping) and found.get("demographic") and metric in found
        for group, rate in found[metric]["rates"].items()
        if rate["value"] is not None
    ]
    return max(groups, key=lambda item: item[1].value or 0.0, default=None)


def _system_bounds(rates: Mapping[str, Rate], notes: dict[str, str]) -> dict[str, Rate]:
    bounds = {}
    if "worst_apcer" in rates:
        bounds["iapar"] = rates["worst_apcer"]
        notes["iapar"] = "bounded by the worst species' APCER; the matcher can only lower it"
    if "fnmr" in rates and "bpcer" in rates:
        first, second = rates["fnmr"], rates["bpcer"]
        value = None if None in (first.value, second.value) else (first.value or 0) + (second.value or 0)
        bounds["false_reject"] = Rate(
            value=None if value is None else min(value, 1.0),
            errors=first.errors + second.errors,
            trials=min(first.trials, second.trials),
            low=max(first.low, second.low),
            high=min(first.high + second.high, 1.0),
            confidence=first.confidence,
            method="union-bound",
        )
        notes["false_reject"] = "bounded by FNMR + BPCER"
    return bounds


def _cost(task: Task, path: Path, target: str) -> dict[str, float]:
    if not path.is_file():
        return {}
    variant = _json(path)["variants"].get(target)
    if variant is None:
        return {}
    found = {f"{task}_megabytes": variant["bytes"] / 1e6}
    if "1" in variant["latency_ms"]:
        found[f"{task}_latency_ms_p95"] = float(variant["latency_ms"]["1"]["p95"])
    if variant["cold"]["peak_mb"] is not None:
        found[f"{task}_peak_megabytes"] = float(variant["cold"]["peak_mb"])
    return found


def _flags(folder: Path, manifest: Manifest, notes: dict[str, str]) -> dict[str, bool]:
    golden, barred = True, []
    for task in manifest.components:
        bundle = load_bundle(folder / "models" / task)
        barred += [f"{d.name} ({d.licence})" for d in bundle.contract.training_data if not d.commercial_use]
        try:
            Session(bundle, check_golden=True)
        except BundleError as error:
            golden, notes["golden_vectors"] = False, error.problem
    if barred:
        notes["commercial_licences"] = "not for commercial use: " + ", ".join(sorted(set(barred)))
    if manifest.synthetic_only:
        notes["real_people"] = "an operating point was measured on rendered people"
    return {
        "golden_vectors": golden,
        "commercial_licences": not barred,
        "real_people": not manifest.synthetic_only,
        "same_detector": manifest.detector_sha256 == detector_sha256(),
    }


def _rate(values: Mapping[str, Any]) -> Rate:
    return Rate.model_validate({**values})


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"{path.parent.name}/{path.name} of the release cannot be read: {error}",
            "register the models with their evidence (`dvc repro register`) and create the release anew",
        ) from error

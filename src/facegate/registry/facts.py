"""What a gate may ask about a release: rates, numbers and flags, read from the evidence inside it.

Error rates are the evaluations' own, with their intervals over people: of each model from its score table, of the
system from the release run as a whole (:mod:`facegate.registry.system`). What was not measured is absent, and a rule
that requires it fails.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from facegate.contracts import Frozen, Rate, Task
from facegate.errors import FacegateError, RegistryError
from facegate.metrics.slices import FEWEST_PEOPLE
from facegate.registry.evidence import BENCHMARK, EVALUATION, VALIDATION
from facegate.registry.release import EVIDENCE, MODELS, SYSTEM, Manifest, detector_sha256
from facegate.runtime import signing
from facegate.runtime.bundle import load_bundle
from facegate.runtime.release import read_release
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
        evidence = folder / EVIDENCE / task
        validation = evidence / f"{VALIDATION}.json"
        passed.append(validation.is_file() and bool(_json(validation)["passed"]))
        numbers |= _cost(task, evidence / f"{BENCHMARK}.json", component.target, notes)
        if task in _SLICED:
            evaluation = _json(evidence / f"{EVALUATION}.json")
            rates |= _task_rates(task, evaluation, component.operating_point, notes)
            if "against_fp32" in evaluation:
                rates[f"{task}_decisions_flipped"] = _rate(evaluation["against_fp32"]["decisions_flipped"])
    rates |= _system(folder / EVIDENCE / SYSTEM / f"{EVALUATION}.json", numbers, notes)
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
        coarse = evaluation["operating_points"].get("fmr_1e-2")
        if coarse is not None:
            found |= {f"{name}_at_fmr_1e-2": _rate(coarse[name]) for name in ("fmr", "fnmr")}
    else:
        found = {"bpcer": _rate(at["bpcer"]), "worst_apcer": _rate(at["worst_apcer"])}
        notes["worst_apcer"] = f"species {at['worst_species']}"
    for metric in _SLICED.get(task, ()):
        worst = worst_slice(evaluation.get("slices", {}), metric)
        if worst is not None:
            notes[f"worst_slice_{metric}"], found[f"worst_slice_{metric}"] = worst
    for name in found:
        if not name.endswith("_at_fmr_1e-2"):
            notes[name] = f"{notes[name]}, at {point}" if name in notes else f"at {point}"
    return found


def worst_slice(slices: Mapping[str, Any], metric: str) -> tuple[str, Rate] | None:
    """Group of the demographic columns with the highest rate, of those with enough people; the note names the others."""
    groups = [
        (f"{column}: {group}", _rate(rate), found[metric]["people"][group])
        for column, found in slices.items()
        if isinstance(found, Mapping) and found.get("demographic") and metric in found
        for group, rate in found[metric]["rates"].items()
        if rate["value"] is not None
    ]
    judged = [(name, rate) for name, rate, people in groups if people >= FEWEST_PEOPLE]
    if not judged:
        return None
    name, worst = max(judged, key=lambda item: item[1].value or 0.0)
    few = [f"{name} ({people})" for name, _, people in groups if people < FEWEST_PEOPLE]
    left = f"; too few people to judge: {', '.join(few)}" if few else ""
    return name + left, worst


def _system(path: Path, numbers: dict[str, float], notes: dict[str, str]) -> dict[str, Rate]:
    """Rates of the release run as one system; none if it never was."""
    if not path.is_file():
        for name in ("iapar", "false_reject", "false_accept", "decision_latency_ms_p95"):
            notes[name] = "the release was not evaluated as a system: `facegate release evaluate`"
        return {}
    found = _json(path)
    decision, worst = found["decision_ms"], _rate(found["iapar"]["worst"])
    numbers["decision_latency_ms_p95"] = float(decision["p95"])
    notes["decision_latency_ms_p95"] = (
        f"{decision['frames']} frames of 640 x 480 with one face, one thread, {decision['machine']['cpu']}"
    )
    matching = _rate(found["iapmr"]["worst"])
    notes["iapar"] = (
        f"species {found['iapar']['worst_species']}; without attack detection {_percent(matching)}"
    )
    notes["false_reject"] = f"one attempt; failures to acquire {_percent(_rate(found['failure_to_acquire']))}"
    notes["false_reject_3_attempts"] = "up to three attempts"
    names = ("false_reject", "false_reject_3_attempts", "false_accept", "failure_to_acquire")
    return {"iapar": worst, **{name: _rate(found[name]) for name in names}}


def _cost(task: Task, path: Path, target: str, notes: dict[str, str]) -> dict[str, float]:
    if not path.is_file():
        return {}
    benchmark = _json(path)
    variant = benchmark["variants"].get(target)
    if variant is None:
        return {}
    found = {f"{task}_megabytes": variant["bytes"] / 1e6}
    if "1" in variant["latency_ms"]:
        found[f"{task}_latency_ms_p95"] = float(variant["latency_ms"]["1"]["p95"])
    if variant["cold"]["peak_mb"] is not None:
        found[f"{task}_peak_megabytes"] = float(variant["cold"]["peak_mb"])
    device = benchmark.get("machine", {}).get("cpu", "an unnamed device")
    notes |= dict.fromkeys(found, f"on {device}")
    return found


def _percent(rate: Rate) -> str:
    return "unknown" if rate.value is None else f"{100 * rate.value:.3g} % (n = {rate.trials:,})"


def _flags(folder: Path, manifest: Manifest, notes: dict[str, str]) -> dict[str, bool]:
    golden, barred = True, []
    for task in manifest.components:
        bundle = load_bundle(folder / MODELS / task, signed=False)
        barred += [f"{d.name} ({d.licence})" for d in bundle.contract.training_data if not d.commercial_use]
        try:
            Session(bundle, check_golden=True)
        except FacegateError as error:
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
        "signed": _signed(folder, notes),
    }


def _signed(folder: Path, notes: dict[str, str]) -> bool:
    if not signing.trust_configured():
        notes["signed"] = f"{signing.PUBLIC_VARIABLE} names no key to check it by"
        return False
    try:
        read_release(folder)
    except FacegateError as error:
        notes["signed"] = error.problem
        return False
    return True


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

"""The two stages of this room: a trained network becomes an fp32 bundle, an fp32 bundle becomes an int8 one.

Each bundle gets ``parity.json`` beside its files: how its answers compare with those of the model that it was
made from, on crops of the validation split.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facegate.contracts import CROP_COLUMNS, ModelContract, Quantisation, Split, Task
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import BundleError, NotMeasurableError
from facegate.exporting.calibration_set import choose, hashed_order, normalised
from facegate.exporting.contract import build_contract, crop_factor, input_spec, origin
from facegate.exporting.half import halve
from facegate.exporting.onnx import export, with_head
from facegate.exporting.parity import (
    FP32_LIMIT,
    Decisions,
    compare,
    eye_decisions,
    pair_decisions,
    presentation_decisions,
)
from facegate.exporting.quantize import quantise, sensitivity
from facegate.models.checkpoint import load_trained, read_description
from facegate.params import Params, QuantizeParams
from facegate.params.outcome import Target
from facegate.runtime import processor
from facegate.runtime.bundle import load_bundle, write_bundle
from facegate.runtime.processor import Family
from facegate.runtime.runners import open_session, session_options
from facegate.whole import write_whole

PARITY = "parity.json"
PARITY_CROPS = 2048
GOLDEN_CROPS = 4
SENSITIVITY_CROPS = 48
MOST_FLOAT = 1 / 3
"""Share of the layers that may stay in floating point: beyond it int8 is no longer worth its name."""

Outputs = NDArray[np.float32]


@dataclass(frozen=True)
class Proof:
    """Crops on which models are compared, with the answers and decisions of the model they came from."""

    pictures: NDArray[np.uint8]
    reference: Outputs
    decisions: Decisions | None

    def report(self, model: bytes) -> dict[str, Any]:
        """Parity of a candidate, see :func:`facegate.exporting.parity.compare`."""
        return compare(self.reference, run_onnx(model, self.pictures), self.decisions)


def export_bundle(trained: Path, crops: Path, out: Path, params: Params) -> dict[str, Any]:
    """Stage `export`: write the fp32 bundle of a trained network.

    Args:
        trained: folder of the trained network.
        crops: crop pack that it was trained on; gives data digests, parity crops and golden vectors.
        out: folder of the bundle.
        params: for the crop factor, and their digest.

    Returns:
        The parity report.

    Raises:
        BundleError: the exported graph differs from the network by more than 1e-4.
    """
    task, network = load_trained(trained)
    pack = open_pack(crops, CROP_COLUMNS)
    rows = _validation_rows(pack)
    pictures = pack.images(rows)
    height, width = (int(side) for side in pictures.shape[1:3])
    training = read_description(trained)["training"]
    reference = run_network(with_head(network, task), pictures)
    model = export(network, task, (height, width))
    proof = Proof(pictures, reference, decisions(task, pack, rows, reference))
    report = proof.report(model)
    if not report["largest"] <= FP32_LIMIT:
        raise BundleError(
            f"{out}: the exported graph differs from the trained network by {report['largest']:.2g}, "
            f"allowed are {FP32_LIMIT:g}",
            "an operator of the network exports wrongly: compare layer by layer before going on",
        )
    contract = build_contract(
        task,
        input_spec(task, (height, width), crop_factor(task, params.prepare.context_factor)),
        reference.shape[1],
        origin(pack, params.digest(), pool=training.get("pool"), initial=training.get("initial")),
    )
    write_bundle(out, model, contract, pictures[:GOLDEN_CROPS], reference[:GOLDEN_CROPS])
    return _write_report(
        out, {"reference": "trained network", "limit": FP32_LIMIT, **_where(pack, rows), **report}
    )


def quantise_bundle(
    fp32: Path, crops: Path, out: Path, target: Target, params: QuantizeParams
) -> dict[str, Any]:
    """Stage `quantize`: write the int8, or the half-precision, bundle of an fp32 one; ``host`` is this machine's int8.

    Layers are left in floating point, those that cost most first, while more decisions change than
    ``params.max_flip_rate`` allows (judged by the lower bound of the measured rate).

    Returns:
        The parity report, with ``held`` telling whether the limit is kept.
    """
    bundle = load_bundle(fp32)
    pack = open_pack(crops, CROP_COLUMNS)
    chosen = choose(pack, params.calibration_samples)
    rows = _validation_rows(pack)
    pictures = pack.images(rows)
    reference = run_onnx(bundle.model, pictures)
    proof = Proof(pictures, reference, decisions(bundle.contract.task, pack, rows, reference))
    family = processor.family() if target == "host" else target
    if family == "fp16":
        best = _candidate(halve(bundle.model), proof, params)
        quantisation = Quantisation(target=family, calibration_digest="")
    else:
        best = _spare(bundle.model, pack.images(chosen.rows), family, params, proof)
        quantisation = Quantisation(
            target=family,
            method=params.method,
            per_channel=True,
            calibration_digest=chosen.digest,
            float_layers=best.float_layers,
        )
    contract: ModelContract = bundle.contract.model_copy(update={"quantisation": quantisation})
    golden = bundle.golden.inputs
    write_bundle(out, best.model, contract, golden, run_onnx(best.model, golden))
    report = {
        "reference": "fp32 bundle",
        "limit": params.max_flip_rate,
        "held": best.held,
        "float_layers": list(best.float_layers),
        "sensitivity": best.costs,
        "bytes": {"fp32": len(bundle.model), family: len(best.model)},
        "calibration": None
        if family == "fp16"
        else {"samples": len(chosen.rows), "digest": chosen.digest, "method": params.method},
    }
    return _write_report(out, {**report, **_where(pack, rows), **best.report})


@dataclass(frozen=True)
class _Candidate:
    model: bytes
    report: dict[str, Any]
    float_layers: tuple[str, ...]
    held: bool
    costs: list[list[Any]]


def _spare(
    model: bytes, pictures: NDArray[np.uint8], target: Family, params: QuantizeParams, proof: Proof
) -> _Candidate:
    """Quantise, leaving as few layers in floating point as the limit asks for."""

    def candidate(names: tuple[str, ...], costs: list[list[Any]]) -> _Candidate:
        return _candidate(
            quantise(model, pictures, target, params.method, names), proof, params, names, costs
        )

    first = candidate((), [])
    if first.held:
        return first
    few = pictures[:SENSITIVITY_CROPS]
    ranked = sensitivity(model, few, target, params.method, _difference(proof))
    costs = [[name, cost] for name, cost in ranked]
    tried = [first]
    for count in range(1, max(1, int(len(ranked) * MOST_FLOAT)) + 1):
        tried.append(candidate(tuple(name for name, _ in ranked[:count]), costs))
        if tried[-1].held:
            return tried[-1]
    return min(tried, key=lambda c: c.report["flips"]["all"]["value"])


def _candidate(
    model: bytes,
    proof: Proof,
    params: QuantizeParams,
    names: tuple[str, ...] = (),
    costs: list[list[Any]] | None = None,
) -> _Candidate:
    report = proof.report(model)
    return _Candidate(model, report, names, _held(report, params.max_flip_rate), costs or [])


def _held(report: dict[str, Any], limit: float) -> bool:
    return "flips" not in report or report["flips"]["all"]["low"] <= limit


def _difference(proof: Proof) -> Callable[[bytes], float]:
    few = slice(0, 2 * SENSITIVITY_CROPS)

    def mean_difference(model: bytes) -> float:
        return float(np.abs(run_onnx(model, proof.pictures[few]) - proof.reference[few]).mean())

    return mean_difference


def decisions(task: Task, pack: Pack, rows: Sequence[int], outputs: Outputs) -> Decisions | None:
    """Decisions of a model on rows of a crop pack; None where they cannot be measured on these."""
    try:
        if task is Task.RECOGNITION:
            return pair_decisions(outputs, list(pack.column("subject_id")[list(rows)]))
        if task is Task.EYES:
            return eye_decisions(outputs, pack.column("blink")[list(rows)])
        return presentation_decisions(outputs, list(pack.column("species")[list(rows)]))
    except NotMeasurableError:
        return None


def run_network(network: nn.Module, pictures: NDArray[np.uint8], batch: int = 64) -> Outputs:
    """Answers of a torch network (with its head) to pictures (n, height, width, 3)."""
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(normalised(pictures[i : i + batch]))).numpy()
            for i in range(0, len(pictures), batch)
        ]
    return np.concatenate(parts).astype(np.float32)


def run_onnx(model: bytes, pictures: NDArray[np.uint8], batch: int = 64) -> Outputs:
    """Answers of a serialised model to pictures (n, height, width, 3), on ONNX Runtime's CPU kernels."""
    session = open_session(model, session_options(0))
    name = session.get_inputs()[0].name
    parts = [
        np.asarray(session.run(None, {name: pictures[i : i + batch]})[0])
        for i in range(0, len(pictures), batch)
    ]
    return np.concatenate(parts)


def _validation_rows(pack: Pack) -> list[int]:
    rows = hashed_order(pack, np.flatnonzero(pack.column("split") == Split.VAL))
    if not rows:
        raise BundleError(
            f"{pack.path}: no crop of the validation split to prove parity on",
            "run `dvc repro` to prepare it anew",
        )
    return rows[:PARITY_CROPS]


def _where(pack: Pack, rows: Sequence[int]) -> dict[str, Any]:
    return {"crops": pack.path.as_posix(), "split": str(Split.VAL), "samples": len(rows)}


def _write_report(folder: Path, report: dict[str, Any]) -> dict[str, Any]:
    write_whole(folder / PARITY, json.dumps(report, indent=2, sort_keys=True, allow_nan=False) + "\n")
    return report

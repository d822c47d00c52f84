"""What this processor computes fast and right: bfloat16 against float32, and the int8 of either x86 family.

    python -m facegate.benchmark.processor_speed --fp32 artifacts/recognition/exported/fp32 --crops data/crops/recognition

measures what ``precision: auto`` and ``targets: [host]`` go by, so that docs/processors.md can be made again on another
machine. One thread; what is compared takes turns.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import onnxruntime as ort
import torch
import typer
from numpy.typing import NDArray
from torch import nn

from facegate.benchmark.machine import describe
from facegate.benchmark.timing import interleave
from facegate.contracts import CROP_COLUMNS, Split
from facegate.datasets.pack import open_split
from facegate.errors import told_in_words
from facegate.exporting.bundles import quantise_bundle
from facegate.exporting.parity import closeness
from facegate.models.muon import GramMuon, muon
from facegate.models.recognition.teacher import Teacher
from facegate.models.spoof.network import build_network
from facegate.params import QuantizeParams, load_params
from facegate.runtime.bundle import load_bundle
from facegate.runtime.processor import Family
from facegate.runtime.runners import EXACT_SUMS

X86: tuple[Family, ...] = ("x86-vnni", "x86-avx2")
BATCH, SIDE = 64, 160
MATRIX = (256, 2304)
FACES = 8
PROBES = 64
"""Crops that the int8 answers are compared on."""

Calls = Mapping[str, Callable[[], object]]


def training_calls(batch: int = BATCH, side: int = SIDE) -> Calls:
    """A forward–backward step of the spoof network on random pictures, in either precision."""
    network = build_network(size=side).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    pictures = torch.rand(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 2

    def step(kind: torch.dtype) -> None:
        with torch.autocast("cpu", kind, enabled=kind is torch.bfloat16):
            loss = nn.functional.cross_entropy(network(pictures).float(), labels)
        loss.backward()

    return _both(step)


def muon_calls(shape: tuple[int, int] = MATRIX) -> Calls:
    """A step of Muon for one matrix of weights: facegate's, and timm's own in bfloat16."""

    def step_of(kind: type[muon.Muon]) -> Callable[[], object]:
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return kind([weight], lr=1e-2).step

    return {"float32": step_of(GramMuon), "bfloat16": step_of(muon.Muon)}


def teacher_calls(path: Path) -> Calls:
    """A few faces asked of a teacher, in either precision.

    Raises:
        SourceError: the file is missing or no ONNX network.
    """
    faces = np.random.default_rng(0).integers(0, 256, (FACES, 112, 112, 3), np.uint8)
    teachers = {kind: Teacher(path, kind) for kind in (torch.float32, torch.bfloat16)}
    return _both(lambda kind: teachers[kind](faces))


def _both(call: Callable[[torch.dtype], object]) -> Calls:
    return {"float32": lambda: call(torch.float32), "bfloat16": lambda: call(torch.bfloat16)}


def seconds(calls: Calls, rounds: int) -> dict[str, float]:
    """Median seconds of each call, one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {name: float(np.median(times)) for name, times in interleave(calls, rounds, 1).items()}
    finally:
        torch.set_num_threads(threads)


def int8_on_this_machine(fp32: Path, crops: Path, params: QuantizeParams, runs: int) -> dict[str, Any]:
    """Bundles made for each x86 family, multiplied as ONNX Runtime does by itself and with exact sums.

    Args:
        fp32: folder of a recognition bundle.
        crops: its crop pack.
        params: how to quantise.
        runs: rounds of one picture each.

    Returns:
        By family and way: ``ms`` of a picture, and ``cosine`` to the fp32 answer, the lowest and the median of some crops.
    """
    pack, rows = open_split(crops, Split.VAL, CROP_COLUMNS)
    pictures = pack.images(rows[:PROBES])
    bundle = load_bundle(fp32)
    sessions = {"fp32": _session(bundle.model, exact=False)}
    with tempfile.TemporaryDirectory() as place:
        for family in X86:
            quantise_bundle(fp32, crops, Path(place) / family, family, params)
            model = load_bundle(Path(place) / family).model
            sessions |= {
                f"{family}{', exact sums' * exact}": _session(model, exact) for exact in (False, True)
            }
    answers = {name: _answers(session, pictures) for name, session in sessions.items()}
    one = pictures[:1]
    times = interleave({n: lambda s=s: _answers(s, one) for n, s in sessions.items()}, runs, 10)
    return {
        name: {"ms": round(median(times[name]) * 1e3, 3), **_alike(answers[name], answers["fp32"])}
        for name in sessions
    }


def _session(model: bytes, exact: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if exact:
        options.add_session_config_entry(EXACT_SUMS, "1")
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _answers(session: ort.InferenceSession, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(session.run(None, {session.get_inputs()[0].name: pictures})[0])


def _alike(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> dict[str, list[float]]:
    quantiles = closeness(wanted, found)["cosine_quantiles"]
    return {"cosine": [round(quantiles[q], 4) for q in ("0", "0.5")]}


def main(
    fp32: Annotated[
        Path | None, typer.Option(help="folder of a recogniser's fp32 bundle, for the int8 part")
    ] = None,
    crops: Annotated[Path | None, typer.Option(help="its crop pack")] = None,
    teacher: Annotated[Path | None, typer.Option(help="ONNX file of a teacher")] = None,
    rounds: Annotated[int, typer.Option(help="of each call in either precision")] = 5,
    runs: Annotated[int, typer.Option(help="of each int8 variant")] = 200,
) -> None:
    """Measure, and print JSON."""
    if bool(fp32) != bool(crops):
        raise typer.BadParameter("--fp32 and --crops go together: the int8 part needs both")
    calls = {
        f"training step, {BATCH} pictures": training_calls(),
        f"Muon, a matrix of {MATRIX[0]} × {MATRIX[1]}": muon_calls(),
    }
    if teacher:
        calls[f"teacher, {FACES} faces"] = teacher_calls(teacher)
    report: dict[str, Any] = {"machine": describe()}
    report["seconds"] = {name: seconds(both, rounds) for name, both in calls.items()}
    if fp32 and crops:
        report["int8"] = int8_on_this_machine(fp32, crops, load_params().quantize, runs)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)

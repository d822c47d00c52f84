"""The benchmark of the whole frame path, with peers beside it: JSON, a table to read, and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from facegate.benchmark import plots
from facegate.benchmark.cold import peak_memory
from facegate.benchmark.frame_path import (
    FACES,
    STEPS,
    FramePath,
    Picture,
    compose,
    gallery_of,
    measure_frames,
)
from facegate.benchmark.machine import describe
from facegate.benchmark.peers import (
    PATH,
    Calls,
    dlib_calls,
    facegate_calls,
    found_faces,
    measure_peers,
    opencv_calls,
)
from facegate.benchmark.report import REPORT, TABLE, write_json
from facegate.faces.detect import Detector
from facegate.params import BenchmarkParams
from facegate.runtime.bundle import load_bundle
from facegate.runtime.models import Recogniser, SpoofJudge
from facegate.whole import whole_folder


def benchmark_frames(
    recognition: Path,
    spoof: Path,
    portraits: Sequence[Picture],
    out: Path,
    params: BenchmarkParams,
    weights: Path = Path("data/external"),
) -> dict[str, Any]:
    """Time the frame path of two bundles, and the peers that are installed.

    Args:
        recognition: folder of a recognition bundle.
        spoof: folder of a spoof bundle.
        portraits: square pictures of one face each, to compose frames of.
        out: folder for ``benchmark.json``, ``benchmark.md`` and the plot; replaced as a whole.
        params: rounds and warm-up; peers get a fifth of the rounds.
        weights: folder in which the OpenCV peer's ``*yunet*.onnx`` and ``*sface*.onnx`` may lie.

    Returns:
        The report: ``machine``, ``models``, ``frames`` by number of faces, ``peak_mb`` and ``peers``.

    Raises:
        BundleError: a bundle is broken.
    """
    cv2.setNumThreads(1)
    judge, recogniser = SpoofJudge(load_bundle(spoof)), Recogniser(load_bundle(recognition))
    size = recogniser.bundle.contract.output.size
    path = FramePath(Detector(), judge, recogniser, gallery_of(size))
    frames = {count: compose(portraits, count) for count in FACES}
    measured = measure_frames(path, frames, params)
    memory = peak_memory()
    report = {
        "machine": describe(),
        "models": {"recognition": recognition.name, "spoof": spoof.name},
        "frames": measured,
        "peak_mb": memory,
        "peers": _peers(path, portraits, params, weights),
    }
    _write(out, report)
    return report


def _peers(
    path: FramePath, portraits: Sequence[Picture], params: BenchmarkParams, weights: Path
) -> dict[str, Any]:
    calls = _shared([_calls(path, compose([portrait], 1), weights) for portrait in portraits])
    return measure_peers(calls, params.model_copy(update={"runs": max(20, params.runs // 5), "warmup": 3}))


def _calls(path: FramePath, frame: Picture, weights: Path) -> dict[str, Calls]:
    yunet, sface = (next(iter(sorted(weights.glob(f"*{name}*.onnx"))), None) for name in ("yunet", "sface"))
    return {
        "facegate": facegate_calls(path, frame),
        "dlib": dlib_calls(frame),
        "opencv": opencv_calls(frame, yunet, sface),
    }


def _shared(frames: Sequence[dict[str, Calls]]) -> dict[str, Calls]:
    """Calls on the first frame whose face every peer finds: to miss a face takes no time. Else on the first."""
    for calls in frames:
        if all(found_faces(by_kind[PATH]()) for by_kind in calls.values() if PATH in by_kind):
            return calls
    return frames[0]


def _write(out: Path, report: dict[str, Any]) -> None:
    with whole_folder(out) as draft:
        write_json(draft / REPORT, report)
        (draft / TABLE).write_text(frame_table(report))
        steps = {count: row["steps_ms"] for count, row in report["frames"].items()}
        plots.step_bars(draft / "steps.png", steps, "Frame of 640 × 480: time by step, one thread")


def frame_table(report: Mapping[str, Any]) -> str:
    """A frame report as a Markdown page."""
    models = report["models"]
    lines = [
        "# Benchmark: the frame path",
        "",
        f"{report['machine']['cpu']}, one thread, frames of 640 × 480; recognition {models['recognition']}, "
        f"spoof {models['spoof']}. Every face takes every step. Milliseconds, medians.",
        "",
        "| faces | found | frame | p95 | " + " | ".join(STEPS) + " | all / sessions |",
        "|--:|--:|--:|--:|" + "--:|" * len(STEPS) + "--:|",
    ]
    for count, row in report["frames"].items():
        latency = row["latency_ms"]
        steps = " | ".join(f"{row['steps_ms'][step]:.2f}" for step in STEPS)
        overhead = f"{row['overhead']:.2f}" if row["overhead"] is not None else "–"
        frame = f"{latency['median']:.2f} | {latency['p95']:.2f}"
        lines.append(f"| {count} | {row['found']} | {frame} | {steps} | {overhead} |")
    lines += ["", "| one face | what | found | median | p95 | × facegate |", "|---|---|--:|--:|--:|--:|"]
    for kind, rows in report["peers"].items():
        for name, row in rows.items():
            slower = row.get("times_slower")
            ratio = f"{slower['value']:.1f} ({slower['low']:.1f}–{slower['high']:.1f})" if slower else "1"
            latency = row["latency_ms"]
            what = f"{kind} | {row.get('found', '')}"
            lines.append(f"| {name} | {what} | {latency['median']:.2f} | {latency['p95']:.2f} | {ratio} |")
    if report["peak_mb"] is not None:
        lines += ["", f"Most memory held before the peers were loaded: {report['peak_mb']:.0f} MB."]
    return "\n".join(lines) + "\n"

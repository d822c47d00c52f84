"""What a stage has left on disk about one bundle, as the evidence that is registered with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.contracts import Rate, Task
from facegate.registry.describe import rates_in
from facegate.registry.register import Evidence

_SHOWN: dict[Task, tuple[str, ...]] = {
    Task.RECOGNITION: ("eer", "tar_at_fmr", "fmr_1e-3"),
    Task.SPOOF: ("auc", "bpcer_5"),
}
"""Beginnings of the dotted paths of the rates that a description shows."""
_PLOTS = {Task.RECOGNITION: ("det", "scores"), Task.SPOOF: ("species", "det")}


def collect(
    task: Task, metrics: Mapping[str, Any], reports: Path, benchmark: Path, exported: Path
) -> Evidence:
    """Gather the evidence of one bundle.

    Args:
        task: recognition or spoof.
        metrics: its section of ``metrics/<task>.json``.
        reports: folder of its plots, its page and ``evaluation.json``.
        benchmark: folder of the task's benchmark.
        exported: folder of the exported bundle, which holds ``parity.json``.
    """
    plots = [f"evaluation/{name}.png" for name in _PLOTS.get(task, ()) if (reports / f"{name}.png").is_file()]
    return Evidence(
        metrics=metrics,
        headline=_headline(task, metrics),
        files={"evaluation": reports, "benchmark": benchmark, "parity": exported / "parity.json"},
        plots=tuple(plots),
        note=(benchmark / "benchmark.md").read_text(),
    )


def _headline(task: Task, metrics: Mapping[str, Any]) -> dict[str, Rate]:
    shown = _SHOWN.get(task, ())
    return {
        path.replace(".", " · "): rate
        for path, rate in rates_in(metrics).items()
        if any(path == name or path.startswith(f"{name}.") for name in shown)
    }

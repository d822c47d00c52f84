"""What stands behind a version: gathered from what the stages have left on disk, registered with its bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facegate.contracts import Rate, Task
from facegate.registry.describe import rates_in

EVALUATION, SCORES, BENCHMARK, VALIDATION, PARITY = (
    "evaluation",
    "scores",
    "benchmark",
    "validation",
    "parity",
)
"""Folders among a registering run's artifacts; the gate reads the first four."""
_SHOWN: dict[Task, tuple[str, ...]] = {
    Task.RECOGNITION: ("eer", "tar_at_fmr", "fmr_1e-3"),
    Task.SPOOF: ("auc", "bpcer_5"),
    Task.LIVENESS: ("auc", "bpcer_10", "eer"),
    Task.EYES: ("eer",),
}
"""Beginnings of the dotted paths of the rates that a description shows."""
PLOTS = {Task.RECOGNITION: ("det", "scores"), Task.SPOOF: ("species", "det")}
"""Plots that descriptions show, by name."""


@dataclass(frozen=True)
class Evidence:
    """What stands behind a version.

    Attributes:
        metrics: the numbers of this bundle, nested.
        headline: the few rates that its description shows.
        files: artifact folder to file or folder: plots, HTML report, benchmark JSON, score table.
        plots: the few pictures that its description shows, as ``<artifact folder>/<file>``.
        note: more Markdown for the description.
    """

    metrics: Mapping[str, Any] = field(default_factory=dict)
    headline: Mapping[str, Rate] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    plots: tuple[str, ...] = ()
    note: str = ""


def collect(
    task: Task,
    metrics: Mapping[str, Any],
    reports: Path,
    benchmark: Path,
    exported: Path,
    scores: Path | None = None,
    validation: Path | None = None,
) -> Evidence:
    """Gather the evidence of one bundle.

    Args:
        task: recognition or spoof.
        metrics: its section of ``metrics/<task>.json``.
        reports: folder of its plots, its page and ``evaluation.json``.
        benchmark: folder of the task's benchmark.
        exported: folder of the exported bundle, which holds ``parity.json``.
        scores: its score table, by which the gate compares it with the model in production.
        validation: the data contracts' report, which the gate wants to have passed.
    """
    files = {
        EVALUATION: reports,
        BENCHMARK: benchmark,
        PARITY: exported / "parity.json",
        SCORES: scores,
        VALIDATION: validation,
    }
    plots = [
        f"{EVALUATION}/{name}.png" for name in PLOTS.get(task, ()) if (reports / f"{name}.png").is_file()
    ]
    return Evidence(
        metrics=metrics,
        headline=_headline(task, metrics),
        files={place: path for place, path in files.items() if path is not None},
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

"""The benchmark stage: measure a task's bundles, write JSON, a table to read, and plots."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.benchmark import plots
from facegate.benchmark.latency import REFERENCE, measure
from facegate.contracts import Task
from facegate.errors import BundleError
from facegate.params import BenchmarkParams
from facegate.runtime.bundle import CONTRACT
from facegate.whole import whole_folder

REPORT, TABLE = "benchmark.json", "benchmark.md"


def find_bundles(folder: Path) -> dict[str, Path]:
    """Bundles below a folder by their names, fp32 first.

    Raises:
        BundleError: there is none.
    """
    found = sorted(path.parent for path in folder.glob(f"*/{CONTRACT}"))
    if not found:
        raise BundleError(f"{folder}: holds no bundle", "run `dvc repro` to export the models")
    ordered = sorted(found, key=lambda path: (path.name != REFERENCE, path.name))
    return {path.name: path for path in ordered}


def benchmark_task(
    task: Task, candidates: Path, out: Path, params: BenchmarkParams, metrics: Path | None = None
) -> dict[str, Any]:
    """Stage `benchmark`: measure every bundle of a task.

    Args:
        task: for titles.
        candidates: folder of the bundles.
        out: folder for ``benchmark.json``, ``benchmark.md`` and the plots; replaced as a whole.
        params: rounds and threads.
        metrics: ``metrics/<task>.json`` of the evaluation, for the plot of accuracy against latency.

    Returns:
        The report.

    Raises:
        BundleError: there is no bundle, or one is broken.
    """
    measured = measure(find_bundles(candidates), params)
    report = {"task": str(task), **measured.report}
    with whole_folder(out) as draft:
        write_json(draft / REPORT, report)
        (draft / TABLE).write_text(table(report))
        for threads, times in measured.times.items():
            noun = "thread" if threads == 1 else "threads"
            title = f"{task}: latency of one picture, {threads} {noun}"
            plots.latency_distributions(draft / f"latency_{threads}.png", times, title)
        slowest = report["slowest"]
        plots.slowest_layers(
            draft / "layers.png", slowest["layers"], f"{task} {slowest['variant']}: slowest operators"
        )
        if metrics is not None and metrics.is_file():
            _accuracy_plot(draft / "accuracy.png", task, report, json.loads(metrics.read_text()))
    return report


def _accuracy_plot(path: Path, task: Task, report: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Error of every variant that was evaluated against its time at the fewest threads."""
    errors = {name: _error(task, metrics[name]) for name in report["variants"] if name in metrics}
    points = {
        name: (next(iter(report["variants"][name]["latency_ms"].values()))["median"], error)
        for name, error in errors.items()
        if error is not None
    }
    if points:
        measure = "equal error rate" if task is Task.RECOGNITION else "1 − AUC"
        title = f"{task}: accuracy against latency"
        plots.accuracy_against_latency(path, points, measure, title, synthetic=bool(metrics.get("synthetic")))


def _error(task: Task, values: Mapping[str, Any]) -> float | None:
    """The task's headline error, 0 to 1; None where it was not measurable."""
    if task is Task.RECOGNITION:
        return (values.get("eer") or {}).get("value")
    auc = (values.get("auc") or {}).get("value")
    return None if auc is None else 1 - auc


def table(report: Mapping[str, Any]) -> str:
    """A benchmark report as a Markdown page."""
    machine, limits = report["machine"], report["peaks"]
    lines = [
        f"# Benchmark: {report['task']}",
        "",
        f"{machine['cpu']} ({machine['architecture']}, {machine['cores']} cores; "
        f"{', '.join(machine['flags']) or 'no flags known'}), "
        f"ONNX Runtime {machine['versions']['onnxruntime']}. One thread reaches {limits['fp32_gmacs']:g} fp32 and "
        f"{limits['int8_gmacs']:g} int8 GMAC/s in a matrix product, and copies {limits['copy_gbytes']:g} GB/s.",
        "",
        "All variants took turns in one run. Times are milliseconds for one picture.",
        "",
        "| variant | threads | runs | median | p95 | p99 | × fp32 (interval) | pictures/s, batch 64 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, variant in report["variants"].items():
        for threads, latency in variant["latency_ms"].items():
            lines.append(_latency_row(name, threads, latency, variant))
    lines += [
        "",
        "| variant | MB | weights | MMAC | share of peak | import | load | first | peak memory |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_static_row(name, variant) for name, variant in report["variants"].items()),
        "",
        *(_runtime_line(name, variant) for name, variant in report["variants"].items()),
        "",
        _install_line(report["install_mb"]),
    ]
    return "\n".join(lines) + "\n"


def _runtime_line(name: str, variant: Mapping[str, Any]) -> str:
    joules = variant["energy_mj"]
    spent = f"{joules:g} mJ a picture" if joules is not None else "not told by this device"
    return f"- {name}: runtime {variant['runtime']['reason']}; energy: {spent}."


def _install_line(sizes: Mapping[str, float]) -> str:
    largest = ", ".join(f"{name} {size:.0f}" for name, size in list(sizes.items())[:4])
    return f"A bare installation takes {sum(sizes.values()):.0f} MB without pip ({largest})."


def write_json(path: Path, values: Any) -> None:
    """Write JSON with sorted keys and without NaN."""
    path.write_text(json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n")


def _latency_row(name: str, threads: str, latency: Mapping[str, Any], variant: Mapping[str, Any]) -> str:
    gain = variant["speedup"].get(threads)
    times = " | ".join(f"{latency[key]:.3f}" for key in ("median", "p95", "p99"))
    ratio = f"{gain['value']:.2f} ({gain['low']:.2f}–{gain['high']:.2f})" if gain else "1"
    rate = max(variant["throughput"][threads].items(), key=lambda item: int(item[0]))[1]
    return f"| {name} | {threads} | {latency['runs']} | {times} | {ratio} | {rate:.0f} |"


def _static_row(name: str, variant: Mapping[str, Any]) -> str:
    cold, share = variant["cold"], variant["share_of_peak"].get("share")
    part = f"{100 * share:.0f} %" if share is not None else "–"
    memory = f"{cold['peak_mb']:.0f} MB" if cold["peak_mb"] is not None else "–"
    return (
        f"| {name} | {variant['bytes'] / 1e6:.2f} | {variant['parameters'] / 1e6:.2f} M "
        f"| {1e3 * variant['gmacs']:.1f} | {part} | {cold['import_ms']:.0f} ms | {cold['load_ms']:.0f} ms "
        f"| {cold['first_ms']:.1f} ms | {memory} |"
    )

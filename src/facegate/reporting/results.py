"""The results table of the README: read from what the graph has measured, never typed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.errors import FacegateError
from facegate.whole import write_whole

BEGIN, END = "<!-- results: made by `facegate results --write README.md` -->", "<!-- end of results -->"


def read_measured(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the last run of a project's graph measured, by task: metrics and benchmarks.

    Raises:
        FacegateError: nothing was measured yet, or a file is not what a stage writes.
    """
    metrics = _by_task(root, "metrics/{}.json")
    if not metrics:
        raise FacegateError(f"{root / 'metrics'}: nothing has been measured yet", "run `make repro`")
    return metrics, _by_task(root, "reports/benchmark/{}/benchmark.json")


def _by_task(root: Path, place: str) -> dict[str, Any]:
    found = {}
    for task in Task:
        path = root / place.format(task)
        if path.is_file():
            try:
                found[task.value] = json.loads(path.read_text())
            except ValueError as error:
                raise FacegateError(
                    f"{path}: not what a stage writes: {error}", "run `dvc repro`, which writes it anew"
                ) from error
    return found


def results_table(
    metrics: Mapping[str, Mapping[str, Any]], benchmarks: Mapping[str, Mapping[str, Any]]
) -> str:
    """Results of the last run of the graph as Markdown.

    Args:
        metrics: content of ``metrics/<task>.json`` by task.
        benchmarks: content of ``reports/benchmark/<task>/benchmark.json`` by task.
    """
    lines = []
    if any(values["synthetic"] for values in metrics.values()):
        lines += [
            "**Synthetic results: measured on rendered people.** They say nothing about real faces.",
            "",
        ]
    lines += ["| | fp32 | " + " | ".join(_int8(metrics)) + " |", "|---|---|" + "---|" * len(_int8(metrics))]
    for task, rows in _ROWS.items():
        if task not in metrics:
            continue
        values, targets = metrics[task], ["fp32", *_int8(metrics)]
        for title, read in rows:
            lines.append(f"| {title} | " + " | ".join(read(values[t]) for t in targets) + " |")
        if task in benchmarks:
            variants = benchmarks[task]["variants"]
            cells = " | ".join(_speed(variants[t]) for t in targets)
            lines.append(f"| {task}: one picture, one thread | {cells} |")
    return "\n".join([*lines, "", *_machine(benchmarks), *_baselines(metrics)]).strip() + "\n"


def write_into(page: Path, table: str) -> None:
    """Put a table between the marks of a page.

    Raises:
        FacegateError: the page is missing, no text, or lacks the marks.
    """
    try:
        text = page.read_text()
    except (OSError, ValueError) as error:
        reason = "no such page" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise FacegateError(f"{page}: {reason}", "name one that has a results table, as README.md") from error
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise FacegateError(
            f"{page}: the marks of a results table are missing",
            f"put the lines {BEGIN!r} and {END!r} into it",
        )
    write_whole(page, f"{before}{BEGIN}\n{table}{END}{after}")


def _int8(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    first = next(iter(metrics.values()))
    return [name for name, value in first.items() if isinstance(value, Mapping) and "against_fp32" in value]


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None or rate.get("value") is None:
        return "not measurable"
    value, low, high = (100 * rate[key] for key in ("value", "low", "high"))
    count = f", n = {rate['trials']:,}" if "trials" in rate else ""
    return f"{value:.2f} % ({low:.2f}–{high:.2f}{count})"


def _auc(values: Mapping[str, Any]) -> str:
    auc = values["auc"]
    count = f"{auc['bona_fide']} bona fide, {auc['attacks']} attacks"
    return f"{auc['value']:.4f} ({auc['low']:.4f}–{auc['high']:.4f}; {count})"


def _eyes(values: Mapping[str, Any]) -> str:
    auc = values["auc"]
    return (
        f"{auc['value']:.4f} ({auc['low']:.4f}–{auc['high']:.4f}; {auc['open']} open, {auc['closed']} closed)"
    )


def _blinks(values: Mapping[str, Any]) -> str:
    found = values["blinks"]["as filmed"]["clean"]
    counts = f"{found['hits']} found, {found['missed']} missed, {found['false']} false"
    return f"{found['value']:.2f} ({found['low']:.2f}–{found['high']:.2f}; {counts})"


def _worst(values: Mapping[str, Any]) -> str:
    point = values.get("bpcer_5")
    if point is None:
        return "not measurable"
    return f"{_rate(point['worst_apcer'])}, {point['worst_species']}"


def _speed(variant: Mapping[str, Any]) -> str:
    text = f"{variant['latency_ms']['1']['median']:.2f} ms, {variant['bytes'] / 1e6:.2f} MB"
    ratio = variant["speedup"].get("1")
    return f"{text}, {ratio['value']:.2f} × fp32 ({ratio['low']:.2f}–{ratio['high']:.2f})" if ratio else text


def _machine(benchmarks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    for report in benchmarks.values():
        machine = report["machine"]
        return [f"Times: {machine['cpu']}, {machine['cores']} cores ({', '.join(machine['flags'])})."]
    return []


def _baselines(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    if "recognition" in metrics:
        eer = metrics["recognition"]["baselines"]["eigenfaces"]["eer"]
        lines.append(f"Baselines on the same pictures: eigenfaces EER {_rate(eer)};")
        lines += _teacher(metrics["recognition"]["baselines"])
    if "spoof" in metrics:
        species = metrics["spoof"]["baselines"]["trivial"]["auc_by_species"]
        ours = metrics["spoof"]["fp32"]["auc_by_species"]
        known = {name: row["value"] for name, row in species.items() if "value" in row and name in ours}
        pairs = [f"{name} {ours[name]['value']:.2f} against {value:.2f}" for name, value in known.items()]
        lines.append(f"AUC by species, network against trivial features: {', '.join(pairs)}.")
    return lines


def _teacher(baselines: Mapping[str, Any]) -> list[str]:
    if "teacher" not in baselines:
        return []
    teacher = baselines["teacher"]
    alike = teacher.get("cosine")
    said = f"; cosine of student and teacher {alike['mean']:.3f} (n = {alike['pictures']:,})" if alike else ""
    return [f"the teacher, which has seen real faces, EER {_rate(teacher['eer'])}{said};"]


_RECOGNITION = (
    ("recognition: EER, people never trained on", lambda v: _rate(v["eer"])),
    ("recognition: 1 − FNMR at FMR 1e-3", lambda v: _rate(v["tar_at_fmr"].get("1e-3"))),
)
_SPOOF = (
    ("spoof: AUC, people never trained on", _auc),
    ("spoof: APCER of the worst species at the BPCER 5 % threshold", _worst),
    ("spoof: BPCER at that threshold", lambda v: _rate(v.get("bpcer_5", {}).get("bpcer"))),
    (
        "spoof: worst APCER where the BPCER of these very people is 5 %",
        lambda v: _worst(v.get("on_test_curve", {})),
    ),
)
_LIVENESS = (
    ("liveness (a clip): AUC", _auc),
    ("liveness: APCER of the worst species at the BPCER 5 % threshold", _worst),
)
_EYES = (("eyes: AUC, open against closed", _eyes), ("eyes: F1 of blinks", _blinks))
_ROWS = {"recognition": _RECOGNITION, "spoof": _SPOOF, "liveness": _LIVENESS, "eyes": _EYES}

"""The few figures that a metrics file holds; everything else is in ``reports/<task>/<target>/evaluation.json``."""

from collections.abc import Mapping
from typing import Any

from facegate.contracts import Task


def headline(
    task: Task, targets: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, Any]
) -> dict[str, Any]:
    """Headline figures of all targets of a task, each rate with its counts and interval.

    Args:
        task: recognition or spoof.
        targets: all figures of each target.
        baselines: what they are to beat.
    """
    pick = {Task.RECOGNITION: _recognition, Task.EYES: _eyes}.get(task, _spoof)
    first = next(iter(targets.values()))
    return {
        "synthetic": first["synthetic"],
        "dataset": first["dataset"],
        **{name: first[name] for name in ("protocol", "test") if name in first},
        "baselines": baselines,
        **{name: pick(metrics) for name, metrics in targets.items()},
    }


def _recognition(metrics: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"eer": metrics["eer"], "cllr": metrics["calibration"]["cllr"]}
    for name, point in metrics["operating_points"].items():
        if name != "eer":  # here `eer` is the rate itself
            found[name] = {"fmr": point["fmr"], "fnmr": point["fnmr"]}
    found["tar_at_fmr"] = {
        target: row["tar"]
        for target, row in metrics["tar_at_fmr"].items()
        if isinstance(row, Mapping) and "tar" in row
    }
    if "rank_1" in metrics["identification"]:
        found["rank_1"] = metrics["identification"]["rank_1"]
    found |= {name: metrics[name] for name in ("transactions",) if name in metrics}
    return found | _acquisition(metrics) | _comparison(metrics)


def _spoof(metrics: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "auc": metrics["auc"],
        "auc_by_species": metrics["auc_by_species"],
        "cllr": metrics["calibration"]["cllr"],
    }
    for name, point in metrics["operating_points"].items():
        found[name] = _rates(point)
    found["on_test_curve"] = {name: _rates(point) for name, point in metrics["on_test_curve"].items()}
    found |= {name: metrics[name] for name in ("cues",) if name in metrics}
    return found | _acquisition(metrics) | _comparison(metrics)


def _acquisition(metrics: Mapping[str, Any]) -> dict[str, Any]:
    found = metrics.get("acquisition", {})
    return {name: found[name] for name in ("failure_to_acquire", "bpnrr", "apnrr") if name in found}


def _eyes(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: metrics[name] for name in ("auc", "auc_hard", "blinks")},
        "cllr": metrics["calibration"]["cllr"],
        "eer": _rates(metrics["operating_points"]["eer"]),
    } | _comparison(metrics)


def _rates(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point without its threshold, which the bundle carries."""
    return {key: value for key, value in point.items() if key != "threshold"}


def _comparison(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metrics[name] for name in ("against_fp32", "by_fold") if name in metrics}

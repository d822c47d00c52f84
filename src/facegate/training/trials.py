"""What a sweep leaves behind: its trials, the best of them, and the files that training and people read."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.training.space import BEST, Value

Row = dict[str, float]
"""One epoch: epoch, samples seen, learning rate, training loss, validation metric."""


@dataclass(frozen=True)
class Trial:
    """One finished trial.

    Attributes:
        number: position among the finished trials, from 0.
        values: the parameters tried, by dotted path.
        metric: name of the validation metric.
        value: its last value.
        pruned: ended early because it lagged behind.
        rows: its curve.
    """

    number: int
    values: Mapping[str, Value]
    metric: str
    value: float
    pruned: bool
    rows: tuple[Row, ...]


def best_of(
    trials: list[Trial], recipe: Mapping[str, Value] | None = None, least_gain: float = 0.0
) -> Trial | None:
    """The whole trial with the best value.

    Args:
        trials: finished trials.
        recipe: the recipe's own values; their trial is returned unless it is beaten by `least_gain`. It is the first to
            begin, and with several workers not always the first to end.
        least_gain: in units of the metric.

    Returns:
        None where no trial is whole.
    """
    whole = [trial for trial in trials if not trial.pruned]
    if not whole:
        return None
    sign = -1 if higher_is_better(whole[0].metric) else 1
    best = min(whole, key=lambda trial: (sign * trial.value, trial.number))
    own = next((trial for trial in whole if trial.values == recipe), best)
    return best if sign * (own.value - best.value) > least_gain else own


def higher_is_better(metric: str) -> bool:
    """Whether a validation metric is to be large."""
    return metric == "val_auc"


def metric_label(metric: str) -> str:
    """A validation metric as it stands at an axis."""
    return {"val_eer": "validation EER", "val_auc": "validation AUC"}.get(metric, metric)


def write_sweep(folder: Path, task: Task, best: Trial | None, trials: list[Trial]) -> None:
    """Write ``best_params.json`` and ``trials.csv``."""
    summary: dict[str, Any] = {
        "task": str(task),
        "values": dict(best.values) if best else {},
        "metric": best.metric if best else None,
        "value": best.value if best else None,
        "trial": best.number if best else None,
        "trials": len(trials),
        "pruned": sum(trial.pruned for trial in trials),
    }
    (folder / BEST).write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
    _write_table(folder / "trials.csv", trials)


def _write_table(path: Path, trials: list[Trial]) -> None:
    tried = list(trials[0].values) if trials else []
    metric = trials[0].metric if trials else "value"
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["trial", "state", "epochs", metric, *tried])
        for trial in trials:
            state = "pruned" if trial.pruned else "complete"
            figures = [f"{value:.8g}" for value in (trial.value, *(trial.values[name] for name in tried))]
            table.writerow([trial.number, state, len(trial.rows), *figures])

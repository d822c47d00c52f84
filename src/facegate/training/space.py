"""The search space of a sweep, and its best point as a file that training takes in."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.params import Params, SpanParams, TuneParams, parse_params

BEST = "best_params.json"
SWEEPS = Path(".optuna")
"""Untracked folder of the sweeps' journals."""
STORAGE = "FACEGATE_SWEEPS"
"""Environment variable with the SQL URL of the trials, in place of the journal."""
Value = int | float


def sweeps_url() -> str:
    """SQL URL of the trials; empty where they go into a journal."""
    return os.environ.get(STORAGE, "")


def tune_section(task: Task, params: Params) -> TuneParams:
    """The sweep of a task.

    Raises:
        ParamsError: no sweep for this task.
    """
    sweeps = {
        Task.RECOGNITION: params.tune.recognition,
        Task.SPOOF: params.tune.spoof,
        Task.LIVENESS: params.tune.liveness,
        Task.EYES: params.tune.eyes,
    }
    if task not in sweeps:
        raise ParamsError(f"`{task}` cannot be tuned", f"choose one of {', '.join(map(str, sweeps))}")
    return sweeps[task]


def wanted_sweep(task: Task, params: Params) -> TuneParams:
    """The sweep of a task that is to be swept.

    Raises:
        ParamsError: no sweep for this task, or an empty one.
    """
    sweep = tune_section(task, params)
    if not sweep.trials:
        raise ParamsError(f"`tune.{task}.trials` is 0: nothing to sweep", "ask for trials in params.yaml")
    if not sweep.space:
        raise ParamsError(
            f"`tune.{task}.space` is empty: nothing to sweep", "name a value and its span there"
        )
    return sweep


def with_values(task: Task, params: Params, values: Mapping[str, Value]) -> Params:
    """Parameters with some numbers of a task's recipe replaced.

    Args:
        task: whose recipe.
        params: all parameters.
        values: by dotted path within the task's section.

    Raises:
        ParamsError: a path names no number of the recipe, or a value is impossible.
    """
    tree = params.model_dump(mode="json", by_alias=True)
    for path, value in values.items():
        *above, name = path.split(".")
        branch: Any = tree[task]
        for key in above:
            branch = branch.get(key) if isinstance(branch, dict) else None
        current = branch.get(name) if isinstance(branch, dict) else None
        if isinstance(current, bool) or not isinstance(current, int | float):
            raise ParamsError(
                f"`tune.{task}.space`: `{path}` names no number of `{task}`",
                "name one by its dotted path, such as `optim.learning_rate`",
            )
        branch[name] = round(value) if isinstance(current, int) else float(value)
    return parse_params(tree, "params.yaml with the sweep's values")


def shortened(task: Task, params: Params, epochs: int) -> Params:
    """The same recipe over fewer epochs."""
    tree = params.model_dump(mode="json", by_alias=True)
    tree[task]["optim"]["epochs"] = epochs
    return parse_params(tree, "params.yaml with the sweep's epochs")


def defaults(task: Task, params: Params, space: Mapping[str, SpanParams]) -> dict[str, Value]:
    """Present values of the parameters in a search space, moved to its nearest edge where they lie outside.

    Raises:
        ParamsError: a path names no number of the recipe.
    """
    with_values(task, params, {path: span.low for path, span in space.items()})
    values: dict[str, Value] = {}
    for path, span in space.items():
        branch: Any = params.model_dump(mode="json", by_alias=True)[task]
        for key in path.split("."):
            branch = branch[key]
        values[path] = min(max(branch, span.low), span.high)
    return values


def read_best(folder: Path) -> dict[str, Value]:
    """Values of the best trial that a sweep left in `folder`; empty if it was skipped.

    Raises:
        ParamsError: the file is missing or not what a sweep writes.
    """
    path = folder / BEST
    try:
        values = json.loads(path.read_text())["values"]
        return {str(name): value for name, value in values.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParamsError(
            f"{path}: not the result of a sweep: {error}", "run `dvc repro` to sweep anew"
        ) from error

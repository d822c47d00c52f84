"""The sweep of stage `tune`, where the recipe asks for one."""

from contextlib import suppress

from optuna.exceptions import TrialPruned

from facegate.contracts import Task
from facegate.params import Params
from facegate.registry.initial import initial_folder
from facegate.registry.tracking import Run, stage_run
from facegate.training.space import SWEEPS, sweeps_url
from facegate.training.trials import Trial
from facegate.training.tune import tune
from pipelines.stage import artifacts, crops, pool


def sweep(task: Task, params: Params) -> None:
    """Search the space and keep every trial with the run."""
    out = artifacts(task) / "tune"
    with stage_run("tune", task, params, inputs={"crops": crops(task)}, sections=[task, "tune"]) as tracked:
        initial = initial_folder(task, params)
        best = tune(
            task,
            params,
            crops(task),
            out,
            SWEEPS,
            lambda trial: _log(tracked, trial),
            pool(task),
            initial,
            sweeps_url(),
        )
        tracked.params({"best": best})
        tracked.file(out)


def _log(tracked: Run, trial: Trial) -> None:
    with suppress(TrialPruned), tracked.child(f"trial {trial.number}", trial.values) as child:
        for row in trial.rows:
            child.log(row, step=int(row["samples"]))
        if trial.pruned:
            raise TrialPruned

"""Several processes at one sweep: ``facegate tune TASK --workers N``, here or on every machine that reaches the database."""

import multiprocessing
import time
from pathlib import Path

from tqdm import tqdm

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.params import Params
from facegate.training.space import wanted_sweep
from facegate.training.study import begin, begun, done
from facegate.training.tune import Plan, run_trial

LOOK_EVERY = 1.0
"""Seconds between two looks at how far the workers are."""


def work_together(
    task: Task,
    params: Params,
    crops: Path,
    work: Path,
    workers: int,
    pool: Path | None = None,
    initial: Path | None = None,
    storage: str = "",
) -> int:
    """Run the trials of a task's sweep by several processes; :func:`~facegate.training.tune.tune` takes them in.

    Which points are tried depends on who finishes when: a sweep by several is not the same twice.

    Args:
        task: whose sweep.
        params: recipe and sweep.
        crops: crop pack; its test split is not read.
        work: untracked folder of the journal.
        workers: processes; each reads the pictures.
        pool: further training pictures, where the recipe asks for them.
        initial: folder of the weights to go on from, where the recipe asks for them.
        storage: SQL URL of the trials, in place of the journal.

    Returns:
        Number of finished trials, at least as many as the sweep asks for.

    Raises:
        ParamsError: the sweep is empty, or all workers died before its end.
        PackError: the crops cannot be used.
    """
    sweep = wanted_sweep(task, params)
    plan = Plan.of(task, params, crops, pool, initial)
    study = plan.study(work, storage)
    begin(study, plan.start)
    del plan  # every worker has its own
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=_work, args=(task, params, crops, work, number, pool, initial, storage))
        for number in range(1, workers + 1)
    ]
    for process in running:
        process.start()
    with tqdm(total=sweep.trials, desc=f"tune {task}", unit="trial") as bar:
        while any(process.is_alive() for process in running):
            bar.update(min(len(done(study)), sweep.trials) - bar.n)
            time.sleep(LOOK_EVERY)
        bar.update(min(len(done(study)), sweep.trials) - bar.n)
    finished = len(done(study))
    if finished < sweep.trials:
        raise ParamsError(
            f"{finished} of {sweep.trials} trials finished: a worker ended early",
            "look at what it said above, and run again: finished trials are kept",
        )
    return finished


def _work(
    task: Task,
    params: Params,
    crops: Path,
    work: Path,
    number: int,
    pool: Path | None,
    initial: Path | None,
    storage: str,
) -> None:
    plan = Plan.of(task, params, crops, pool, initial)
    study = plan.study(work, storage)
    while (so_far := begun(study)) < plan.sweep.trials:
        run_trial(study, plan, so_far, number)

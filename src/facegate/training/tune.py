"""The sweep before training, by Optuna: sees training and validation people only, resumes after a kill.

Trials go into a journal file outside the stage's outputs. The sampler is seeded by (seed, trials finished), so
that a sweep that was killed and resumed proposes what an uninterrupted one would have proposed; a trial that
died half-way is set aside and run again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import optuna
import torch
from optuna.distributions import FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from facegate.contracts import Task
from facegate.datasets.modules import CropModule
from facegate.params import Params, SpanParams, TuneParams
from facegate.training.callbacks import History
from facegate.training.material import Material, assemble, load_material, run_key
from facegate.training.run import run
from facegate.training.space import Value, defaults, shortened, tune_section, with_values
from facegate.training.trials import Row, Trial, best_of, write_sweep

STARTUP = 5
"""Trials drawn at random before the sampler models what it has seen."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def tune(
    task: Task,
    params: Params,
    crops: Path,
    out: Path,
    work: Path,
    on_trial: Callable[[Trial], None] | None = None,
    pool: Path | None = None,
    initial: Path | None = None,
) -> dict[str, Value]:
    """Search the task's space and write the best point.

    Args:
        task: recognition or spoof.
        params: recipe (the first trial is the recipe itself) and sweep.
        crops: crop pack; its test split is not read.
        out: folder that gets ``best_params.json`` and ``trials.csv``, whole or not at all.
        work: untracked folder of the journal.
        on_trial: called with every finished trial, on a resumed sweep with the earlier ones too.
        pool: further training pictures, where the recipe asks for them.
        initial: folder of the weights to go on from, where the recipe asks for them.

    Returns:
        Best values by dotted path within the task's section; empty if the sweep is skipped.

    Raises:
        PackError: the crops cannot be used.
        ParamsError: the space names what is no number of the recipe, or the task cannot be tuned.
    """
    sweep = tune_section(task, params)
    trials: list[Trial] = []
    if sweep.trials and sweep.space:
        start = defaults(task, params, sweep.space)
        material = load_material(task, params, crops, pool, initial)
        trials = _sweep(material, params, sweep, start, work, on_trial or _ignore)
    best = best_of(trials)
    write_sweep(out, task, best, trials)
    return dict(best.values) if best else {}


def _sweep(
    material: Material,
    params: Params,
    sweep: TuneParams,
    start: Mapping[str, Value],
    work: Path,
    on_trial: Callable[[Trial], None],
) -> list[Trial]:
    alone = params.model_copy(update={"trainer": params.trainer.alone()})
    short = shortened(material.task, alone, sweep.epochs)
    study = _open_study(material, short, sweep, work)
    trials = [_finished(number, trial) for number, trial in enumerate(_done(study))]
    for trial in trials:
        on_trial(trial)
    bar = tqdm(total=sweep.trials, initial=len(trials), desc=f"tune {material.task}", unit="trial")
    while len(trials) < sweep.trials:
        trial = _run_trial(study, material, short, sweep, start, len(trials))
        trials.append(_finished(len(trials), trial))
        on_trial(trials[-1])
        bar.update()
    bar.close()
    return trials


def _open_study(material: Material, short: Params, sweep: TuneParams, work: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    work.mkdir(parents=True, exist_ok=True)
    space = sweep.model_dump(mode="json", exclude={"trials"})
    key = hashlib.sha256((run_key(material, short) + json.dumps(space, sort_keys=True)).encode()).hexdigest()[
        :16
    ]
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(work / f"{material.task}.journal"))),
        study_name=f"{material.task}-{key}",
        direction="minimize" if material.task is Task.RECOGNITION else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1 + sweep.epochs // 3),
        load_if_exists=True,
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def _done(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _run_trial(
    study: optuna.Study,
    material: Material,
    short: Params,
    sweep: TuneParams,
    start: Mapping[str, Value],
    number: int,
) -> FrozenTrial:
    study.sampler = optuna.samplers.TPESampler(
        seed=sweep.seed * 10_007 + number, n_startup_trials=STARTUP, constant_liar=False
    )
    if number == 0 and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(dict(start))
    trial = study.ask({path: _distribution(span) for path, span in sweep.space.items()})
    params = with_values(material.task, short, trial.params)
    torch.manual_seed(sweep.seed)
    learner, data = assemble(material, params)
    if sweep.steps and isinstance(data, CropModule):
        data.set_steps(min(sweep.steps, data.batches.steps))

    def lags(row: Row) -> bool:
        trial.report(row[learner.metric], int(row["epoch"]))
        return trial.should_prune()

    history = History(stop=lags)
    run(learner, data, params.trainer, [history])
    trial.set_user_attr("metric", learner.metric)
    trial.set_user_attr("rows", history.rows)
    whole = len(history.rows) == sweep.epochs
    value = history.rows[-1][learner.metric] if whole else None
    return study.tell(trial, value, state=TrialState.COMPLETE if whole else TrialState.PRUNED)


def _distribution(span: SpanParams) -> FloatDistribution:
    return FloatDistribution(span.low, span.high, log=span.log)


def _finished(number: int, trial: FrozenTrial) -> Trial:
    rows: list[Row] = trial.user_attrs["rows"]
    metric: str = trial.user_attrs["metric"]
    pruned = trial.state is TrialState.PRUNED
    return Trial(number, dict(trial.params), metric, rows[-1][metric], pruned, tuple(rows))


def _ignore(_: Trial) -> None:
    return

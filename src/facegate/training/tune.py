"""The sweep before training, by Optuna: sees training and validation people only, resumes after a kill.

Trials are kept outside the stage's outputs (:mod:`facegate.training.study`). The sampler is seeded by (seed, trials
finished), so that a sweep that was killed and resumed proposes what an uninterrupted one would have proposed; a trial
that died half-way is set aside and run again. Trials that several workers ran (:mod:`facegate.training.workers`) are
taken in as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna
import torch
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from facegate.contracts import Task
from facegate.datasets.modules import CropModule
from facegate.datasets.pack import open_pack
from facegate.params import Params, SpanParams, TuneParams
from facegate.training.callbacks import History
from facegate.training.material import Material, assemble, load_material
from facegate.training.run import run
from facegate.training.space import Value, defaults, shortened, tune_section, with_values
from facegate.training.study import begin, done, open_study, sign
from facegate.training.sweep_plots import draw_sweep
from facegate.training.trials import Row, Trial, best_of, write_sweep
from facegate.whole import whole_folder

STARTUP = 5
"""Trials drawn at random before the sampler models what it has seen."""
APART = 1_000_003
"""Between the seeds of two workers."""


def tune(
    task: Task,
    params: Params,
    crops: Path,
    out: Path,
    work: Path,
    on_trial: Callable[[Trial], None] | None = None,
    pool: Path | None = None,
    initial: Path | None = None,
    storage: str = "",
) -> dict[str, Value]:
    """Search the task's space and write the best point.

    Args:
        task: recognition or spoof.
        params: recipe (the first trial is the recipe itself) and sweep.
        crops: crop pack; its test split is not read.
        out: folder that gets ``best_params.json``, ``trials.csv`` and plots, whole or not at all.
        work: untracked folder of the journal.
        on_trial: called with every finished trial, on a resumed sweep with the earlier ones too.
        pool: further training pictures, where the recipe asks for them.
        initial: folder of the weights to go on from, where the recipe asks for them.
        storage: SQL URL of the trials, in place of the journal.

    Returns:
        Best values by dotted path within the task's section; empty if the sweep is skipped.

    Raises:
        PackError: the crops cannot be used.
        ParamsError: the space names what is no number of the recipe, the task cannot be tuned, or the storage cannot be
            opened.
    """
    sweep = tune_section(task, params)
    trials: list[Trial] = []
    if sweep.trials and sweep.space:
        plan = Plan.of(task, params, crops, pool, initial)
        trials = _sweep(plan, work, storage, on_trial or _ignore)
    best = best_of(trials, defaults(task, params, sweep.space), sweep.least_gain)
    with whole_folder(out) as draft:
        write_sweep(draft, task, best, trials)
        draw_sweep(draft, task, trials, best, open_pack(crops).synthetic)
    return dict(best.values) if best else {}


@dataclass(frozen=True)
class Plan:
    """What every worker of a sweep needs to know.

    Attributes:
        material: what is trained on.
        short: parameters of a trial.
        sweep: how many trials, over which space.
        start: the recipe's own point of the space, which is tried first.
    """

    material: Material
    short: Params
    sweep: TuneParams
    start: Mapping[str, Value]

    @classmethod
    def of(
        cls, task: Task, params: Params, crops: Path, pool: Path | None = None, initial: Path | None = None
    ) -> "Plan":
        """Read the pictures and fix what a trial is; see :func:`tune`."""
        sweep = tune_section(task, params)
        start = defaults(task, params, sweep.space)
        alone = params.model_copy(update={"trainer": params.trainer.alone()})
        material = load_material(task, params, crops, pool, initial)
        return cls(material, shortened(task, alone, sweep.epochs), sweep, start)

    def study(self, work: Path, storage: str) -> optuna.Study:
        """The study of this very sweep: same pictures, recipe, space and code."""
        return open_study(self.material, self.short, self.sweep, work, storage)


def _sweep(plan: Plan, work: Path, storage: str, on_trial: Callable[[Trial], None]) -> list[Trial]:
    study = plan.study(work, storage)
    begin(study, plan.start)
    trials = [_finished(number, trial) for number, trial in enumerate(done(study))]
    for trial in trials:
        on_trial(trial)
    wanted = plan.sweep.trials
    bar = tqdm(total=wanted, initial=len(trials), desc=f"tune {plan.material.task}", unit="trial")
    while len(trials) < wanted:
        trial = run_trial(study, plan, len(trials))
        trials.append(_finished(len(trials), trial))
        on_trial(trials[-1])
        bar.update()
    bar.close()
    return trials


def run_trial(study: optuna.Study, plan: Plan, number: int, worker: int = 0) -> FrozenTrial:
    """Propose a point, train it, and tell the study.

    Args:
        study: which trials there are.
        plan: what a trial is.
        number: trials so far.
        worker: which of several workers asks; none proposes what another does.
    """
    sweep, task = plan.sweep, plan.material.task
    study.sampler = optuna.samplers.TPESampler(
        seed=sweep.seed * 10_007 + number + worker * APART, n_startup_trials=STARTUP, constant_liar=worker > 0
    )
    trial = study.ask({path: _distribution(span) for path, span in sweep.space.items()})
    sign(trial)
    params = with_values(task, plan.short, trial.params)
    torch.manual_seed(sweep.seed)
    learner, data = assemble(plan.material, params)
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

"""What a sweep tried, to look at: the course of its trials, and which parameter mattered."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.ticker import MaxNLocator
from optuna.distributions import FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from facegate.contracts import Task
from facegate.reporting.canvas import BLUE, GREY, ORANGE, canvas
from facegate.training.trials import Trial, higher_is_better, metric_label

LEAST = 8
"""Whole trials below which importance says nothing."""


def draw_sweep(
    folder: Path, task: Task, trials: Sequence[Trial], best: Trial | None, synthetic: bool
) -> None:
    """Write ``history.png``, and ``importance.png`` where there are enough trials; nothing for no trials.

    Args:
        folder: where to.
        task: whose sweep.
        trials: in their order.
        best: which of them is taken.
        synthetic: whether the validation people are rendered.
    """
    if trials:
        _history(folder / "history.png", task, trials, best, synthetic)
    if found := importances(trials):
        _importance(folder / "importance.png", task, found, synthetic)


def importances(trials: Sequence[Trial]) -> dict[str, float]:
    """Share of each parameter in the spread of the outcome, the greatest first; empty for too few trials.

    Paper: Hutter, Hoos & Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance* (fANOVA), ICML 2014.
    """
    whole = [trial for trial in trials if not trial.pruned]
    if len(whole) < LEAST or len({trial.value for trial in whole}) < 2:
        return {}
    spans = {}
    for name in whole[0].values:
        tried = [float(trial.values[name]) for trial in whole]
        spans[name] = FloatDistribution(min(tried), max(tried))
    study = optuna.create_study(direction="maximize")
    for trial in whole:
        values = {name: float(value) for name, value in trial.values.items()}
        study.add_trial(
            optuna.trial.create_trial(params=values, distributions=dict(spans), value=trial.value)
        )
    return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))


def _history(path: Path, task: Task, trials: Sequence[Trial], best: Trial | None, synthetic: bool) -> None:
    """Every trial, and the best so far."""
    up = higher_is_better(trials[0].metric)
    with canvas(path, f"Sweep of {task}: trial by trial", synthetic) as axes:
        for pruned, colour, label in ((False, BLUE, "whole"), (True, GREY, "pruned")):
            shown = [trial for trial in trials if trial.pruned is pruned]
            if shown:
                axes.scatter([t.number for t in shown], [t.value for t in shown], color=colour, label=label)
        whole = [trial for trial in trials if not trial.pruned]
        if whole:
            follow = np.maximum.accumulate if up else np.minimum.accumulate
            so_far = follow([trial.value for trial in whole])
            numbers = [*(trial.number for trial in whole), trials[-1].number]
            axes.step(numbers, [*so_far, so_far[-1]], where="post", color=ORANGE, label="best so far")
        if best:
            axes.axvline(best.number, color=ORANGE, alpha=0.3, linewidth=0.8)
        axes.set_xlabel("trial; 0 is the recipe itself")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(metric_label(trials[0].metric))
        axes.legend()


def _importance(path: Path, task: Task, found: dict[str, float], synthetic: bool) -> None:
    size = (7.2, 1.4 + 0.5 * len(found))
    with canvas(path, f"Sweep of {task}: what mattered (fANOVA)", synthetic, size) as axes:
        names = list(found)[::-1]
        axes.barh(names, [found[name] for name in names], color=BLUE)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the spread of the validation metric")

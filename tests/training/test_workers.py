"""Real processes at one sweep, whose trials the stage then takes in."""

import pytest

import facegate.training.tune as module
from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.training.tune import tune
from facegate.training.workers import work_together
from tests.training.conftest import toy_params

TASK = Task.SPOOF


@pytest.mark.parametrize("database", [False, True])
def test_what_several_ran_is_taken_in_and_not_run_again(tmp_path, packs, database, monkeypatch):
    params = toy_params(TASK, tune={"trials": 3})
    url = f"sqlite:///{tmp_path / 'sweeps.db'}" if database else ""
    done = work_together(TASK, params, packs[TASK], tmp_path / "work", 2, storage=url)
    assert 3 <= done <= 4  # the last two may begin at the same time

    def never(*_):
        raise AssertionError("a finished trial is run again")

    monkeypatch.setattr(module, "run", never)
    seen = []
    best = tune(TASK, params, packs[TASK], tmp_path / "out", tmp_path / "work", seen.append, storage=url)
    assert len(seen) == done
    recipe = params.spoof
    assert seen[0].values == {
        "optim.learning_rate": recipe.optim.learning_rate,
        "augmentation": recipe.augmentation,
    }
    assert len({trial.values["augmentation"] for trial in seen}) == done
    assert best == max(seen, key=lambda trial: (trial.value, -trial.number)).values
    assert (tmp_path / "out" / "history.png").stat().st_size > 5000


def test_nothing_to_sweep_is_said(tmp_path, packs):
    with pytest.raises(ParamsError, match=r"tune\.spoof\.trials"):
        work_together(TASK, toy_params(TASK, tune={"trials": 0}), packs[TASK], tmp_path, 1)

"""Where trials are kept: taken up by whoever comes next, given up only when who ran them is gone."""

import socket
import subprocess
import sys

import optuna
import pytest

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.training.material import load_material
from facegate.training.space import tune_section
from facegate.training.study import begin, begun, done, open_study, sign
from tests.training.conftest import toy_params

TASK = Task.SPOOF
START = {"optim.learning_rate": 6e-3, "augmentation": 0.5}


@pytest.fixture(params=["journal", "sqlite"])
def study(request, tmp_path, packs):
    """Opens the same study anew, as another process would."""
    params = toy_params(TASK)
    material = load_material(TASK, params, packs[TASK])
    url = f"sqlite:///{tmp_path / 'sweeps.db'}" if request.param == "sqlite" else ""
    return lambda **changes: open_study(
        material, params, tune_section(TASK, toy_params(TASK, tune=changes)), tmp_path / "work", url
    )


def ask(study):
    return study.ask({name: optuna.distributions.FloatDistribution(0, 1) for name in START})


def test_trials_outlive_who_ran_them_and_the_recipe_comes_first(study):
    first = study()
    begin(first, START)
    trial = ask(first)
    sign(trial)
    assert trial.params == START
    first.tell(trial, 0.5)
    again = study(trials=20)
    begin(again, START)
    assert [t.value for t in done(again)] == [0.5]
    assert ask(again).params != START


def test_another_space_is_another_study(study):
    begin(study(), START)
    other = study(space={"augmentation": {"low": 0.1, "high": 0.2}})
    assert other.get_trials() == []


def test_a_trial_is_set_aside_when_its_process_is_gone(study):
    mine = study()
    begin(mine, START)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    trials = [ask(mine) for _ in range(4)]
    for trial, host, process in zip(
        trials, [socket.gethostname()] * 2 + ["elsewhere"], [gone.pid, 1, 1], strict=False
    ):
        trial.set_user_attr("host", host)
        trial.set_user_attr("process", process)
    assert begun(mine) == 4
    begin(study(), START)
    states = [trial.state.name for trial in study().get_trials()]
    assert states[:4] == ["FAIL", "RUNNING", "RUNNING", "FAIL"]  # gone; at work; of another machine; unsigned
    assert states[4:] == ["WAITING"]  # the recipe itself was among those that are gone: it is tried again
    assert ask(study()).params == START


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////nowhere/at/all.db", "nodriver://u:secret@host/x"])
def test_a_database_that_cannot_be_opened_is_told_without_its_password(tmp_path, packs, url):
    params = toy_params(TASK)
    with pytest.raises(ParamsError, match="FACEGATE_SWEEPS") as told:
        open_study(
            load_material(TASK, params, packs[TASK]), params, tune_section(TASK, params), tmp_path, url
        )
    assert "secret" not in str(told.value)

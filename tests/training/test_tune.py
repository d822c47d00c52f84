import csv
import json

import pytest

from facegate.contracts import Task
from facegate.datasets.pack import PackWriter
from facegate.datasets.prepare import columns_of
from facegate.errors import PackError, ParamsError
from facegate.training.space import defaults, read_best, with_values
from facegate.training.trials import Trial, best_of
from facegate.training.tune import tune
from tests.training.conftest import toy_params
from tests.training.toy import SPECIES, surrounded, toy_row, write_toy_pack

TASK = Task.SPOOF


def sweep(tmp_path, packs, name, work="work", on_trial=None, **changes):
    params = toy_params(TASK, **changes)
    return tune(TASK, params, packs[TASK], tmp_path / name, tmp_path / work, on_trial)


def test_sweep_is_reproducible_and_starts_with_the_recipe(tmp_path, packs):
    seen = []
    best = sweep(tmp_path, packs, "a", "w1", seen.append)
    assert sweep(tmp_path, packs, "b", "w2") == best
    for file in ("best_params.json", "trials.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    recipe = toy_params(TASK).spoof
    assert seen[0].values == {
        "optim.learning_rate": recipe.optim.learning_rate,
        "augmentation": recipe.augmentation,
    }
    assert [trial.number for trial in seen] == [0, 1, 2]
    assert len({trial.values["augmentation"] for trial in seen}) == 3
    assert read_best(tmp_path / "a") == best
    assert best == max(seen, key=lambda trial: (trial.value, -trial.number)).values


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 2])
def test_a_killed_sweep_resumes_to_the_same_end(tmp_path, packs, after, monkeypatch):
    whole, resumed = [], []
    sweep(tmp_path, packs, "whole", "w1", whole.append)

    import facegate.training.tune as module

    real, calls = module.run, []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == after + 1:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "run", dies)
    with pytest.raises(Killed):
        sweep(tmp_path, packs, "cut", "w2")
    assert not (tmp_path / "cut").exists()
    monkeypatch.setattr(module, "run", real)
    sweep(tmp_path, packs, "cut", "w2", resumed.append)
    assert resumed == whole
    for file in ("best_params.json", "trials.csv"):
        assert (tmp_path / "cut" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_another_space_starts_anew(tmp_path, packs):
    first, second = [], []
    sweep(tmp_path, packs, "a", on_trial=first.append)
    space = {"augmentation": {"low": 0.2, "high": 0.4}}
    sweep(tmp_path, packs, "b", on_trial=second.append, tune={"space": space})
    assert second[0].values == {"augmentation": 0.4}
    assert len(second) == 3


def test_more_trials_take_up_the_journal(tmp_path, packs):
    first, more = [], []
    sweep(tmp_path, packs, "a", on_trial=first.append, tune={"trials": 2})
    sweep(tmp_path, packs, "b", on_trial=more.append, tune={"trials": 3})
    assert more[:2] == first
    assert len(more) == 3


def test_test_rows_are_never_decoded(tmp_path):
    """Rows of the test split whose pictures cannot be decoded hurt neither the sweep nor the training data."""
    path = tmp_path / "pack"
    with PackWriter(path, columns_of(TASK)) as pack:
        for person, split in enumerate(["train"] * 6 + ["val"] * 3 + ["test"] * 3):
            for index in range(3):
                row = surrounded(toy_row(person, index, split, SPECIES[index], 64, TASK))
                pack.write(row if split != "test" else row | {"image": b"not a picture"})
    params = toy_params(TASK, tune={"trials": 1})
    assert tune(TASK, params, path, tmp_path / "out", tmp_path / "work")


def test_pruned_trials_are_told_apart_and_never_best():
    def trial(number, value, pruned=False, metric="val_eer"):
        return Trial(number, {"x": number}, metric, value, pruned, ())

    lower = [trial(0, 0.3), trial(1, 0.2), trial(2, 0.1, pruned=True), trial(3, 0.2)]
    assert best_of(lower) == lower[1]
    higher = [trial(0, 0.8, metric="val_auc"), trial(1, 0.9, metric="val_auc")]
    assert best_of(higher) == higher[1]
    assert best_of([]) is None
    recipe = {"x": 0}
    for enough, found in ((0.09, lower[1]), (0.11, lower[0])):
        assert best_of(lower, recipe, enough) == found
    assert best_of(higher, recipe, 0.09) == higher[1]
    assert best_of(higher, recipe, 0.11) == higher[0]


def test_the_recipe_is_known_by_its_values_and_not_by_its_place():
    """With several workers another trial may end before it, or it is killed and tried again."""
    trials = [
        Trial(k, {"x": x}, "val_auc", value, False, ())
        for k, (x, value) in enumerate([(2, 0.7), (1, 0.8), (3, 0.82)])
    ]
    assert best_of(trials, {"x": 1}, 0.05) == trials[1]
    assert best_of(trials, {"x": 2}, 0.05) == trials[2]
    assert best_of(trials, {"x": 9}, 0.05) == trials[2]


def test_lagging_trials_are_pruned(tmp_path, packs, monkeypatch):
    """With a stand-in for training whose metric is the parameter itself."""
    import facegate.training.tune as module

    def pretend(learner, data, trainer, callbacks):
        (history,) = callbacks
        for epoch in range(1, learner.optim.epochs + 1):
            row = {"epoch": float(epoch), learner.metric: data.batches.strength}
            history.rows.append(row)
            if history.stop(row):
                break

    monkeypatch.setattr(module, "run", pretend)
    seen = []
    space = {"augmentation": {"low": 0.0, "high": 1.0}}
    sweep(tmp_path, packs, "a", on_trial=seen.append, tune={"trials": 8, "epochs": 3, "space": space})
    pruned = [trial for trial in seen if trial.pruned]
    assert pruned
    assert all(len(trial.rows) == (2 if trial.pruned else 3) for trial in seen)
    assert max(trial.value for trial in pruned) < max(trial.value for trial in seen)
    states = [row["state"] for row in csv.DictReader((tmp_path / "a" / "trials.csv").open())]
    assert states == ["pruned" if trial.pruned else "complete" for trial in seen]


def test_trials_may_be_shorter_than_an_epoch(tmp_path, packs):
    seen = []
    sweep(tmp_path, packs, "a", on_trial=seen.append, tune={"trials": 1, "epochs": 2, "steps": 1})
    size = toy_params(TASK).spoof.optim.batch_size
    assert [row["samples"] for row in seen[0].rows] == [size, 2 * size]


def test_no_trials_means_the_recipe(tmp_path, packs):
    assert sweep(tmp_path, packs, "a", tune={"trials": 0}) == {}
    assert read_best(tmp_path / "a") == {}
    assert json.loads((tmp_path / "a" / "best_params.json").read_text())["trials"] == 0


@pytest.mark.parametrize("path", ["optim.learnig_rate", "optim", "nothing.at.all", "optim.precision"])
def test_a_path_that_is_no_number_is_named(tmp_path, packs, path):
    with pytest.raises(ParamsError, match="space"):
        sweep(tmp_path, packs, "a", tune={"space": {path: {"low": 0.1, "high": 0.2}}})


def test_impossible_values_are_refused():
    params = toy_params(TASK)
    with pytest.raises(ParamsError, match=r"augmentation"):
        with_values(TASK, params, {"augmentation": 2.0})
    changed = with_values(TASK, params, {"optim.epochs": 5.4, "optim.learning_rate": 1e-3})
    assert (changed.spoof.optim.epochs, changed.spoof.optim.learning_rate) == (5, 1e-3)
    assert changed.recognition == params.recognition


def test_defaults_are_moved_into_the_space():
    params = toy_params(TASK, augmentation=0.9)
    space = {"augmentation": {"low": 0.0, "high": 0.5}}
    tuned = toy_params(TASK, augmentation=0.9, tune={"space": space})
    assert defaults(TASK, params, tuned.tune.spoof.space) == {"augmentation": 0.5}


@pytest.mark.parametrize("text", [None, "{", "[]", '{"value": 1}'])
def test_a_broken_result_of_a_sweep_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "best_params.json").write_text(text)
    with pytest.raises(ParamsError, match="dvc repro"):
        read_best(tmp_path)


def test_bad_crops_and_tasks_are_named(tmp_path):
    params = toy_params(TASK, framing=0.0)
    with pytest.raises(PackError):
        tune(TASK, params, tmp_path / "nowhere", tmp_path / "out", tmp_path / "work")
    live = write_toy_pack(tmp_path / "live", Task.RECOGNITION)
    with pytest.raises(PackError, match="attacks"):
        tune(TASK, params, live, tmp_path / "out", tmp_path / "work")

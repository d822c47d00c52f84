import csv
import shutil

import numpy as np
import pytest
import torch

from facegate.contracts import Split, Task
from facegate.datasets.batches import load_crops
from facegate.errors import PackError
from facegate.models.blocks import normalise
from facegate.models.checkpoint import load_trained, read_description
from facegate.models.recognition.module import RecognitionModule
from facegate.training.callbacks import averaging
from facegate.training.fit import fit
from tests.training.conftest import toy_params
from tests.training.toy import write_toy_pack

TASKS = (Task.RECOGNITION, Task.SPOOF)
FILES = ["curves.csv", "curves.png", "model.pt", "network.json"]


class Log:
    def __init__(self, until=None):
        self.rows, self.until = [], until

    def log(self, metrics, step):
        self.rows.append((step, metrics))
        if len(self.rows) == self.until:
            raise KeyboardInterrupt


def bytes_of(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_bytes_another_seed_other_weights(tmp_path, packs, task):
    results = [fit(task, toy_params(task), packs[task], tmp_path / name, tmp_path / "work") for name in "ab"]
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert results[0].value == results[1].value
    fit(task, toy_params(task, optim={"seed": 2}), packs[task], tmp_path / "c", tmp_path / "work")
    assert (tmp_path / "c" / "model.pt").read_bytes() != (tmp_path / "a" / "model.pt").read_bytes()


@pytest.mark.parametrize(("task", "killed_after"), [(Task.RECOGNITION, 1), (Task.SPOOF, 1), (Task.SPOOF, 2)])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(tmp_path, packs, task, killed_after):
    params = toy_params(task)
    whole, log = Log(), Log()
    expected = fit(task, params, packs[task], tmp_path / "whole", tmp_path / "w1", whole)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(task, params, packs[task], tmp_path / "cut", tmp_path / "w2", Log(until=killed_after + 1))
    assert not (tmp_path / "cut").exists()
    assert list((tmp_path / "w2").rglob("last.ckpt"))
    resumed = fit(task, params, packs[task], tmp_path / "cut", tmp_path / "w2", log)
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")
    assert (resumed.value, resumed.epoch, resumed.samples) == (
        expected.value,
        expected.epoch,
        expected.samples,
    )
    assert log.rows == whole.rows
    assert not list((tmp_path / "w2").rglob("*.ckpt"))


def test_a_checkpoint_of_another_recipe_is_left_alone(tmp_path, packs):
    task = Task.SPOOF
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(task, toy_params(task), packs[task], tmp_path / "a", tmp_path / "work", Log(until=2))
    other = toy_params(task, optim={"learning_rate": 1e-4})
    log = Log()
    fit(task, other, packs[task], tmp_path / "b", tmp_path / "work", log)
    assert len(log.rows) == 3
    fit(task, other, packs[task], tmp_path / "c", tmp_path / "elsewhere")
    assert bytes_of(tmp_path / "b") == bytes_of(tmp_path / "c")
    assert len(list((tmp_path / "work").rglob("last.ckpt"))) == 1


def test_a_damaged_checkpoint_is_trained_over(tmp_path, packs):
    task = Task.SPOOF
    params = toy_params(task)
    fit(task, params, packs[task], tmp_path / "a", tmp_path / "w1")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(task, params, packs[task], tmp_path / "b", tmp_path / "w2", Log(until=2))
    last = next((tmp_path / "w2").rglob("last.ckpt"))
    last.write_bytes(last.read_bytes()[:1000])
    fit(task, params, packs[task], tmp_path / "b", tmp_path / "w2")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


@pytest.mark.parametrize("task", TASKS)
def test_learns_the_toy(tmp_path, packs, task):
    log = Log()
    optim = {"epochs": 24, "learning_rate": 1e-2, "weight_decay": 0.0}
    plain = {"margin": 0.0} if task is Task.RECOGNITION else {"sharpness_weight": 0.0}
    params = toy_params(task, optim=optim, augmentation=0.0, **plain)
    result = fit(task, params, packs[task], tmp_path / "out", tmp_path / "work", log)
    losses = [metrics["train_loss"] for _, metrics in log.rows]
    assert losses[-1] < 0.7 * losses[0]
    assert result.value <= 0.2 if task is Task.RECOGNITION else result.value >= 0.95


@pytest.mark.parametrize("task", TASKS)
def test_what_is_kept_is_what_was_validated(tmp_path, packs, task):
    """The written network reproduces the metric of its epoch; the table and the description agree with it."""
    result = fit(task, toy_params(task), packs[task], tmp_path / "out", tmp_path / "work")
    _, network = load_trained(tmp_path / "out")
    validation = load_crops(packs[task], Split.VAL)
    with torch.no_grad():
        outputs = network(normalise(torch.from_numpy(validation.images))).numpy()
    if task is Task.SPOOF:
        score = outputs[:, 1] - outputs[:, 0]
        live, attack = score[validation.bona_fide], score[~validation.bona_fide]
        measured = ((live[:, None] > attack).mean() + 0.5 * (live[:, None] == attack).mean()).item()
        assert measured == pytest.approx(result.value, abs=1e-6)
    rows = list(csv.DictReader((tmp_path / "out" / "curves.csv").open()))
    values = [float(row[result.metric]) for row in rows]
    assert values[result.epoch - 1] == pytest.approx(result.value, rel=1e-6)
    assert result.value == pytest.approx((min if task is Task.RECOGNITION else max)(values), rel=1e-6)
    assert read_description(tmp_path / "out")["training"]["epoch"] == result.epoch
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize(("precision", "half"), [("32-true", False), ("bf16-mixed", True)])
def test_a_network_is_finished_in_the_precision_it_was_trained_in(
    tmp_path, packs, monkeypatch, precision, half
):
    found = []
    monkeypatch.setattr(
        RecognitionModule, "finish", lambda *_: found.append(torch.is_autocast_enabled("cpu"))
    )
    params = toy_params(Task.RECOGNITION, optim={"precision": precision})
    fit(Task.RECOGNITION, params, packs[Task.RECOGNITION], tmp_path / "out", tmp_path / "work")
    assert found == [half]


def test_workers_and_averaging_do_what_they_say(tmp_path, packs):
    task = Task.SPOOF
    params = toy_params(task)
    spread = params.model_copy(update={"trainer": params.trainer.model_copy(update={"workers": 1})})
    fit(task, params, packs[task], tmp_path / "a", tmp_path / "work")
    fit(task, spread, packs[task], tmp_path / "b", tmp_path / "work")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    fit(task, toy_params(task, optim={"ema": 0.0}), packs[task], tmp_path / "c", tmp_path / "work")
    assert bytes_of(tmp_path / "c") != bytes_of(tmp_path / "a")


def test_average_forgets_the_first_weights():
    averaged, steps = [torch.zeros(1), torch.zeros(1, dtype=torch.int64)], 200
    for count in range(1, steps):
        averaging(0.99)(averaged, [torch.ones(1), torch.tensor([count])], count)
    assert averaged[0].item() > 0.98
    assert averaged[1].item() == steps - 1


def test_an_old_output_survives_a_failing_run(tmp_path, packs):
    task = Task.SPOOF
    fit(task, toy_params(task), packs[task], tmp_path / "out", tmp_path / "work")
    before = bytes_of(tmp_path / "out")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(
            task,
            toy_params(task, optim={"seed": 5}),
            packs[task],
            tmp_path / "out",
            tmp_path / "work",
            Log(until=1),
        )
    assert bytes_of(tmp_path / "out") == before


def test_bad_crops_are_named(tmp_path, packs):
    params = toy_params(Task.RECOGNITION)
    out, work = tmp_path / "out", tmp_path / "work"
    with pytest.raises(PackError, match="no pack here"):
        fit(Task.RECOGNITION, params, tmp_path / "nowhere", out, work)
    small = write_toy_pack(tmp_path / "small", Task.RECOGNITION, size=64)
    with pytest.raises(PackError, match="64 × 64, and recognition takes 112"):
        fit(Task.RECOGNITION, params, small, out, work)
    lonely = write_toy_pack(tmp_path / "lonely", Task.RECOGNITION, people=(1, 1, 0))
    with pytest.raises(PackError, match="needs two"):
        fit(Task.RECOGNITION, params, lonely, out, work)
    no_val = write_toy_pack(tmp_path / "noval", Task.RECOGNITION, people=(3, 0, 1))
    with pytest.raises(PackError, match="no rows in split `val`"):
        fit(Task.RECOGNITION, params, no_val, out, work)
    with pytest.raises(PackError, match="no film strip"):
        fit(Task.LIVENESS, params, packs[Task.SPOOF], out, work)
    damaged = tmp_path / "damaged"
    shutil.copytree(packs[Task.RECOGNITION], damaged)
    part = next(damaged.glob("*.arrow"))
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    with pytest.raises(PackError, match="truncated"):
        fit(Task.RECOGNITION, params, damaged, out, work)
    assert not out.exists()

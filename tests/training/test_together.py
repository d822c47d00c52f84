"""Two processes that train together (DDP over gloo), against one process that sees the same pictures."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facegate.contracts import Task
from facegate.datasets.modules import CropModule
from facegate.errors import ParamsError
from facegate.models.checkpoint import WEIGHTS, load_trained
from facegate.params import Params, parse_params
from facegate.training.callbacks import History
from facegate.training.fit import fit
from facegate.training.material import assemble, load_material
from facegate.training.run import follows, run
from tests.training.conftest import toy_params

ROOT = Path(__file__).parents[2]
TASK = Task.RECOGNITION
TWO = {"devices": 2, "strategy": "ddp"}
OPTIM = {"optimizer": "adamw", "ema": 0.9, "learning_rate": 0.01}
"""Muon levels singular values, the smallest too, and so makes a difference in the last bit a visible one."""
STATISTICS = ("running_mean", "running_var", "tracked", "centre", "spread")
"""What follows from the pictures that the first process saw pass, and is not learned."""
PER_PICTURE = {"pair_weight": 0.0}
"""A recipe whose loss is a mean over pictures: nothing in it compares the pictures of a batch."""


def with_trainer(params: Params, **trainer) -> Params:
    tree = params.model_dump(mode="json", by_alias=True)
    tree["trainer"] |= trainer
    return parse_params(tree)


def losses(out: Path) -> list[float]:
    return [float(row["train_loss"]) for row in csv.DictReader((out / "curves.csv").open())]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return torch.load(out / WEIGHTS, weights_only=True)


@pytest.fixture(scope="module")
def start(tmp_path_factory, packs) -> Path:
    """A network trained before."""
    root = tmp_path_factory.mktemp("start")
    fit(TASK, toy_params(TASK, optim={"epochs": 1}), packs[TASK], root / "out", root / "work")
    return root / "out"


@pytest.fixture(scope="module")
def together(tmp_path_factory, packs, start) -> Path:
    """What two processes gave: `own` with the whole recipe, `kept` with statistics kept and a loss per picture."""
    root = tmp_path_factory.mktemp("together")
    recipes = {"own": ({}, None), "kept": (PER_PICTURE, start)}
    jobs = [
        {
            "params": with_trainer(toy_params(TASK, optim=OPTIM, **recipe), **TWO).model_dump(
                mode="json", by_alias=True
            ),
            "crops": str(packs[TASK]),
            "out": str(root / name),
            "initial": str(initial) if initial else "",
        }
        for name, (recipe, initial) in recipes.items()
    ]
    (root / "jobs.json").write_text(json.dumps(jobs))
    alone = {k: v for k, v in os.environ.items() if k not in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.together", str(root / "jobs.json")],
        cwd=ROOT,
        env={**alone, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root


def test_two_processes_are_one_that_adds_the_gradients_of_two_batches(together, packs, tmp_path):
    """The whole recipe, in-batch losses and batch normalisation included: each batch is judged by itself in both."""
    one = with_trainer(toy_params(TASK, optim=OPTIM), accumulate_grad_batches=2)
    fit(TASK, one, packs[TASK], tmp_path / "one", tmp_path / "work")
    np.testing.assert_allclose(losses(together / "own"), losses(tmp_path / "one"), rtol=1e-4)
    mine, theirs = weights(tmp_path / "one"), weights(together / "own")
    learned = [name for name in mine if not name.endswith(STATISTICS)]
    for name in learned:
        torch.testing.assert_close(theirs[name], mine[name], rtol=1e-3, atol=1e-4)


class Doubled(torch.utils.data.Dataset):
    """Two batches after one another as one."""

    def __init__(self, batches) -> None:
        self.batches, self.steps, self.size = batches, batches.steps // 2, batches.size * 2

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key):
        epoch, step = key
        parts = [self.batches[epoch, 2 * step + half] for half in (0, 1)]
        return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def test_two_processes_are_one_with_twice_the_batch_where_pictures_are_judged_alone(together, packs, start):
    params = toy_params(TASK, optim=OPTIM, **PER_PICTURE)
    material = load_material(TASK, params, packs[TASK], initial=start)
    torch.manual_seed(params.recognition.optim.seed)
    learner, data = assemble(material, params)
    assert isinstance(data, CropModule)
    data.batches = Doubled(data.batches)  # pyright: ignore[reportAttributeAccessIssue]
    history = History()
    run(learner, data, params.trainer, [history])
    np.testing.assert_allclose(
        losses(together / "kept"), [row["train_loss"] for row in history.rows], rtol=1e-4
    )


def test_one_process_leads_and_one_follows(together):
    assert {path.name for path in together.glob("own-*")} == {"own-leads", "own-follows"}
    assert load_trained(together / "own")[0] is TASK
    assert not list((together / "work").rglob("*.ckpt"))


@pytest.mark.parametrize(("node", "expected"), [("0", False), ("1", True)])
def test_another_node_follows(monkeypatch, node, expected):
    monkeypatch.setenv("NODE_RANK", node)
    assert follows() is expected


def test_a_sweep_stays_in_one_process():
    many = with_trainer(toy_params(TASK), **TWO, num_nodes=3, threads=2).trainer
    assert many.alone().model_dump() == {
        **many.model_dump(),
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
    }


def test_processes_that_cannot_hand_curves_back_are_refused():
    with pytest.raises(ParamsError, match="use `ddp`"):
        with_trainer(toy_params(TASK), devices=2, strategy="ddp_spawn")

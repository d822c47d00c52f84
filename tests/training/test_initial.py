"""Training that goes on from weights that exist."""

import json

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from facegate.contracts import Task
from facegate.errors import CheckpointError, ParamsError
from facegate.models.checkpoint import WEIGHTS, read_description
from facegate.models.recognition.network import below_head, build_network
from facegate.training.fit import fit
from facegate.training.initial import ORIGIN, load_initial
from facegate.training.material import assemble, load_material, run_key
from facegate.training.run import run
from tests.training.conftest import toy_params

TASK = Task.RECOGNITION
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
FINISHED = {"centre", "spread"}


@pytest.fixture(scope="module")
def start(tmp_path_factory, packs):
    root = tmp_path_factory.mktemp("start")
    fit(TASK, toy_params(TASK, optim={"epochs": 1}), packs[TASK], root / "out", root / "work")
    return root / "out"


def weights(folder):
    return torch.load(folder / WEIGHTS, weights_only=True)


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def go_on(start, packs, tmp_path, **freeze):
    params = toy_params(TASK, optim={"epochs": 2, "ema": 0.0}, freeze=freeze)
    fit(TASK, params, packs[TASK], tmp_path / "out", tmp_path / "work", initial=start)
    return changed(weights(start), weights(tmp_path / "out"))


def test_a_frozen_backbone_learns_in_the_head_alone(start, packs, tmp_path):
    learned = go_on(start, packs, tmp_path, epochs=2)
    layers = {name: int(name.split(".")[1]) for name in weights(start) if name not in FINISHED}
    assert learned > FINISHED
    assert {layers[name] for name in learned - FINISHED} == {max(layers.values())}


def test_without_a_freeze_all_weights_learn_and_statistics_stay(start, packs, tmp_path):
    learned = go_on(start, packs, tmp_path)
    kept = {name for name in weights(start) if name.endswith(STATISTICS)}
    assert learned == set(weights(start)) - kept


class Rates(Callback):
    """Learning rates of head and of what lies below it, by step."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        groups = trainer.optimizers[0].param_groups
        self.seen.append((groups[0]["lr"], groups[-1]["lr"]))


def test_layers_below_the_head_rest_and_then_go_slowly(start, packs):
    params = toy_params(TASK, freeze={"epochs": 1, "rate": 0.25})
    learner, data = assemble(load_material(TASK, params, packs[TASK], initial=start), params)
    rates = Rates()
    run(learner, data, params.trainer, [rates])
    assert len(rates.seen) == 12
    assert [below / head for head, below in rates.seen] == pytest.approx([0] * 4 + [0.25] * 8)


def test_statistics_move_where_they_are_let(start, packs, tmp_path):
    assert any(name.endswith("running_mean") for name in go_on(start, packs, tmp_path, statistics=False))


def test_the_result_says_what_it_went_on_from(start, packs, tmp_path):
    go_on(start, packs, tmp_path, epochs=1)
    known = read_description(tmp_path / "out")["training"]["initial"]
    assert known == {"sha256": read_description(start)["sha256"]}


def test_what_is_known_of_a_version_goes_along(start, packs, tmp_path):
    origin = {"version": "facegate-recognition/3", "training_data": []}
    (start / ORIGIN).write_text(json.dumps(origin))
    found = load_initial(start, toy_params(TASK).recognition)
    (start / ORIGIN).unlink()
    assert found.about == {"sha256": read_description(start)["sha256"], **origin}


def test_other_weights_are_another_run(start, packs):
    params = toy_params(TASK)
    fresh, going_on = (
        load_material(TASK, params, packs[TASK]),
        load_material(TASK, params, packs[TASK], initial=start),
    )
    assert run_key(fresh, params) != run_key(going_on, params)


@pytest.mark.parametrize(
    ("recipe", "problem"),
    [
        ({"width": 0.5}, "its width is 0.25, and `recognition.width` is 0.5"),
        ({"embedding": 64}, "its embedding is 32"),
        ({"backbone": "mobilefacenet"}, "its backbone is flat_resnet"),
        ({"lessons": {"teacher": "sface", "pictures": 8}}, "was trained on labels"),
    ],
)
def test_weights_of_another_architecture_are_refused(start, recipe, problem):
    with pytest.raises(ParamsError, match=problem):
        load_initial(start, toy_params(TASK, **recipe).recognition)


def test_what_is_no_recogniser_is_refused(packs, tmp_path):
    with pytest.raises(CheckpointError, match=r"network\.json is missing"):
        load_initial(tmp_path, toy_params(TASK).recognition)
    fit(
        Task.SPOOF,
        toy_params(Task.SPOOF, optim={"epochs": 1}),
        packs[Task.SPOOF],
        tmp_path / "s",
        tmp_path / "w",
    )
    with pytest.raises(ParamsError, match="a network for spoof"):
        load_initial(tmp_path / "s", toy_params(TASK).recognition)


@pytest.mark.parametrize("backbone", ["dense_resnet", "flat_resnet", "mobilefacenet"])
@pytest.mark.parametrize("student", [False, True])
def test_the_head_is_what_comes_after_the_last_map(backbone, student):
    network = build_network(backbone, 0.25, 32, student)
    below = {id(p) for p in below_head(network)}
    head = [name for name, p in network.named_parameters() if id(p) not in below]
    last = head[0].rsplit(".", 3)[0]
    assert all(name.startswith(last) for name in head)
    assert 0 < len(head) < len(list(network.parameters())) / 2

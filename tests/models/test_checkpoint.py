import hashlib
import json
import pickle

import pytest
import torch

from facegate.contracts import Task
from facegate.errors import CheckpointError
from facegate.models.checkpoint import load_trained, save_trained
from facegate.models.recognition.network import build_network as build_recogniser
from facegate.models.spoof.network import build_network as build_spoof

CASES = [
    (Task.RECOGNITION, build_recogniser, {"backbone": "dense_resnet", "width": 0.25, "embedding": 16}, 112),
    (Task.SPOOF, build_spoof, {"width": 0.25, "size": 64}, 64),
]


@pytest.mark.parametrize(("task", "build", "kwargs", "size"), CASES)
def test_round_trip(tmp_path, task, build, kwargs, size):
    network = build(**kwargs).eval()
    save_trained(tmp_path, network, task, kwargs)
    loaded_task, loaded = load_trained(tmp_path)
    x = torch.randn(2, 3, size, size)
    assert loaded_task is task
    assert not loaded.training
    assert torch.equal(loaded(x), network(x))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.pt", "network.json"]


def test_equal_networks_give_equal_bytes(tmp_path):
    _, build, kwargs, _ = CASES[1]
    network = build(**kwargs)
    for name in ("a", "b"):
        save_trained(tmp_path / name, network, Task.SPOOF, kwargs)
    for file in ("model.pt", "network.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.fixture
def saved(tmp_path):
    _, build, kwargs, _ = CASES[1]
    save_trained(tmp_path, build(**kwargs), Task.SPOOF, kwargs)
    return tmp_path


def edit(folder, **changes):
    file = folder / "network.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


class Evil:
    def __reduce__(self):
        return (print, ("code ran",))


def put_code(folder):
    data = pickle.dumps(Evil())
    (folder / "model.pt").write_bytes(data)
    edit(folder, sha256=hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "network.json").unlink(),
        lambda folder: (folder / "model.pt").unlink(),
        lambda folder: (folder / "model.pt").write_bytes((folder / "model.pt").read_bytes()[:-9]),
        lambda folder: (folder / "network.json").write_text("{"),
        lambda folder: (folder / "network.json").write_text("[]"),
        lambda folder: edit(folder, task="nonsense"),
        lambda folder: edit(folder, kwargs={"width": 0.25, "colour": "red"}),
        lambda folder: edit(folder, kwargs={"width": 0.5, "size": 64}),
    ],
)
def test_damage_is_named(saved, damage):
    damage(saved)
    with pytest.raises(CheckpointError, match="dvc repro"):
        load_trained(saved)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_the_weights_does_not_run(saved, capsys):
    put_code(saved)
    with pytest.raises(CheckpointError):
        load_trained(saved)
    assert "code ran" not in capsys.readouterr().out

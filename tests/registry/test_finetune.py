"""Fine-tuning from the registry's side: which version, what is recorded, and when nothing is registered."""

import json
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry import finetune as module
from facegate.registry.finetune import finetune
from facegate.registry.lineage import lines, reproduce, show
from facegate.registry.register import Registered
from facegate.registry.store import Store
from facegate.runtime.bundle import load_bundle
from tests.registry.test_initial import _terms, registered
from tests.training.test_people import add
from tests.training.toy import write_toy_pack

SHORT = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "weight_decay": 0.0}


@pytest.fixture
def short(params: Params) -> Params:
    tree = params.model_dump(mode="json", by_alias=True)
    tree["finetune"] |= {"anchors": 8, "optim": SHORT}
    tree["trainer"] |= {"workers": 0, "threads": 1}
    tree["evaluate"]["bootstrap"] = 100
    return Params.model_validate(tree)


@pytest.fixture
def people(tmp_path: Path, photos: Path) -> Path:
    for name in ("obama", "biden", "obama2"):
        add(tmp_path / "people" / name, photos / f"{name}.jpg", 4)
    return tmp_path / "people"


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("facegate.exporting.contract.training_data", _terms)
    return write_toy_pack(tmp_path / "strangers", Task.RECOGNITION, people=(8, 8, 6))


def test_a_child_names_its_parent_and_its_people(
    store: Store,
    short: Params,
    project: Path,
    people: Path,
    strangers: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent = registered(project, short, exported=1, logged=1)

    def measured(task, place, crops, alias, params, *, training, root) -> list[Registered]:
        """Stands for int8, evaluation and benchmark, which have tests of their own; the parent stands for the child."""
        assert (task, crops, alias) == (Task.RECOGNITION, strangers, "finetuned")
        assert json.loads(training.read_text())["run_id"]
        return [Registered(parent.name, parent.version, "fp32", (alias,), created=True)]

    monkeypatch.setattr(module, "measure", measured)
    monkeypatch.setattr(module, "verdict", lambda report: (True, False))
    done = finetune("recognition@candidate", people, short, strangers=strangers)
    assert (done.report["parent"], done.report["persons"]) == ("facegate-recognition/1", 3)
    assert (done.report["learned"], done.report["held_out_pictures"]) == (6, 6)
    place = project / "imports" / "facegate-recognition-1-finetuned"
    contract = load_bundle(place / "exported" / "fp32", signed=False).contract
    assert [data.name for data in contract.training_data] == ["toy", "the operator's people"]
    evidence = json.loads((place / "exported" / "fp32" / "parity.json").read_text())
    assert evidence["finetuned"]["strangers"]["eer"]["before"]["trials"] == 24 * 23 / 2
    shown = "\n".join(lines(show("recognition/1")))
    assert "finetuned   from facegate-recognition/1, 3 people, 6 pictures" in shown


@pytest.mark.parametrize("outcome", [(False, False), (True, True)])
def test_without_a_gain_or_with_a_loss_nothing_is_registered(
    store: Store,
    short: Params,
    project: Path,
    people: Path,
    strangers: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcome: tuple[bool, bool],
) -> None:
    registered(project, short, exported=1, logged=1)
    monkeypatch.setattr(module, "verdict", lambda report: outcome)
    monkeypatch.setattr(module, "measure", None)
    done = finetune("recognition/1", people, short, strangers=strangers)
    assert ((done.gained, done.lost), done.versions) == (outcome, [])
    assert (project / "imports" / "facegate-recognition-1-finetuned" / "finetune.json").is_file()


def test_a_version_of_pictures_that_are_not_kept_is_not_rebuilt(
    store: Store, short: Params, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = registered(project, short, exported=1, logged=1)
    for key, value in {"parent": "m/1", "finetuned": "3 people", "git.commit": "c0ffee"}.items():
        store.client.set_model_version_tag(done.name, done.version, key, value)
    with pytest.raises(RegistryError, match=r"does not keep\n.*finetune --from m/1"):
        reproduce("recognition/1")


def test_what_is_missing_is_named(store: Store, short: Params, project: Path, people: Path) -> None:
    with pytest.raises(RegistryError, match="has no version `nobody`"):
        finetune("recognition@nobody", people, short)
    registered(project, short, exported=1, logged=1)
    with pytest.raises(RegistryError, match="no strangers"):
        finetune("recognition@candidate", people, short)

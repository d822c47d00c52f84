"""Weights to go on from, by registered version: found, proved, and refused where they are not what they seem."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from facegate.contracts import Task, TrainingData
from facegate.errors import RegistryError
from facegate.exporting.bundles import export_bundle
from facegate.models.checkpoint import load_trained, save_trained
from facegate.models.recognition.network import build_network
from facegate.params import Params
from facegate.registry.evidence import Evidence
from facegate.registry.initial import initial_folder
from facegate.registry.register import Registered, register_bundle
from facegate.registry.store import Store
from facegate.registry.tracking import stage_run
from facegate.training.initial import ORIGIN, load_initial
from tests.registry.conftest import build_bundle
from tests.training.toy import write_toy_pack

TASK = Task.RECOGNITION
KWARGS = {"backbone": "flat_resnet", "width": 0.25, "embedding": 32, "student": False}


def network(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build_network(**KWARGS).eval()


BUNDLES: dict[tuple[int, str], dict[str, bytes]] = {}


def bundle_files(seed: int, params: Params) -> dict[str, bytes]:
    """Files of the bundle of a network by seed; exported once."""
    key = seed, params.model_dump_json()
    if key not in BUNDLES:
        with TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
            patch.setattr("facegate.exporting.contract.training_data", _terms)
            crops, trained, out = (Path(scratch) / name for name in ("crops", "trained", "fp32"))
            save_trained(trained, network(seed), TASK, KWARGS)
            export_bundle(trained, write_toy_pack(crops, TASK), out, params)
            BUNDLES[key] = {path.name: path.read_bytes() for path in out.iterdir()}
    return BUNDLES[key]


def registered(root: Path, params: Params, exported: int, logged: int | None) -> Registered:
    """A version of a network by seed, and the run that says it trained the one of another seed."""
    (root / "fp32").mkdir()
    for name, content in bundle_files(exported, params).items():
        (root / "fp32" / name).write_bytes(content)
    reference = root / "run.json"
    with stage_run("train", TASK, params, inputs={}, reference=reference) as run:
        if logged is not None:
            save_trained(root / "logged", network(logged), TASK, KWARGS)
            run.file(root / "logged", "trained")
    return register_bundle(root / "fp32", params, Evidence(), inputs={}, training=reference)


def _terms(name: str, digest: str, role: str = "data"):
    return TrainingData(name=name, licence="research only", commercial_use=False, digest=digest)


def asking(params: Params, init_from: str, **data) -> Params:
    tree = params.model_dump(mode="json", by_alias=True)
    tree["recognition"] |= {"init_from": init_from, "width": 0.25, "embedding": 32, "lessons": None}
    tree["data"] |= data
    return Params.model_validate(tree)


@pytest.mark.parametrize(
    "reference", ["recognition/1", "facegate-recognition/1", "models:/facegate-recognition/1"]
)
def test_a_version_leads_to_its_weights_and_what_they_were_trained_on(
    store: Store, params: Params, project: Path, reference: str
) -> None:
    registered(project, params, exported=1, logged=1)
    asked = asking(params, reference)
    folder = initial_folder(TASK, asked)
    assert folder is not None
    found = load_trained(folder)[1].state_dict()
    assert all(torch.equal(found[name], value) for name, value in network(1).state_dict().items())
    about = load_initial(folder, asked.recognition).about
    assert about["version"] == "facegate-recognition/1"
    assert [data["name"] for data in about["training_data"]] == ["toy"]
    assert json.loads((folder / ORIGIN).read_text())["version"] == "facegate-recognition/1"


def test_an_alias_is_refused_with_the_version_that_it_names(
    store: Store, params: Params, project: Path
) -> None:
    registered(project, params, exported=1, logged=1)
    with pytest.raises(RegistryError, match=r"aliases move.*\n.*recognition/1"):
        initial_folder(TASK, asking(params, "models:/facegate-recognition@candidate"))


def test_weights_that_answer_otherwise_than_the_version_are_refused(
    store: Store, params: Params, project: Path
) -> None:
    registered(project, params, exported=1, logged=2)
    with pytest.raises(RegistryError, match="answer otherwise"):
        initial_folder(TASK, asking(params, "recognition/1"))


def test_terms_that_forbid_commercial_use_hold_for_what_comes_after(
    store: Store, params: Params, project: Path
) -> None:
    registered(project, params, exported=1, logged=1)
    with pytest.raises(RegistryError, match="toy: research only"):
        initial_folder(TASK, asking(params, "recognition/1", commercial=True))


@pytest.mark.parametrize(
    ("target", "problem"), [("fp32", "was imported or adapted"), ("x86-vnni", "an fp32 recogniser is needed")]
)
def test_what_was_not_trained_here_has_no_weights(
    store: Store, params: Params, tmp_path: Path, target: str, problem: str
) -> None:
    register_bundle(build_bundle(tmp_path, TASK, target), params, Evidence(), inputs={})
    with pytest.raises(RegistryError, match=problem):
        initial_folder(TASK, asking(params, "recognition/1"))


def test_what_is_not_there_is_named(store: Store, params: Params, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="has no version `7`"):
        initial_folder(TASK, asking(params, "recognition/7"))
    with pytest.raises(RegistryError, match="no registered version and no folder"):
        initial_folder(TASK, asking(params, "somewhere/trained"))
    assert initial_folder(TASK, asking(params, str(tmp_path))) == tmp_path
    assert initial_folder(TASK, asking(params, "")) is None
    assert initial_folder(Task.SPOOF, asking(params, "recognition/7")) is None

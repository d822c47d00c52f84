"""ncnn's form of real exports, made by pnnx and run by ncnn."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import nn

from facegate.contracts import OutputSpec, Quantisation, Task
from facegate.errors import BundleError, MissingExtraError
from facegate.exporting import ncnn_form
from facegate.exporting.ncnn_form import write_ncnn_form
from facegate.exporting.onnx import export
from facegate.runtime import signing
from facegate.runtime.bundle import load_bundle, write_bundle
from facegate.runtime.ncnn import FORM
from facegate.runtime.session import Session
from tests.conftest import missing
from tests.exporting.test_mirror import asking_twice
from tests.exporting.test_onnx import SIZE, run
from tests.runtime.tiny import make_contract, make_model


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    for package in ("ncnn", "pnnx"):
        if importlib.util.find_spec(package) is None:
            missing(package, "pip install 'facegate[ncnn,ncnn-convert]'")


def bundle(folder: Path, model: bytes, task: Task, pictures: np.ndarray, **changes: object) -> Path:
    golden = pictures[:3]
    answers = run(model, golden)
    shown = make_contract(task, SIZE).output
    output = OutputSpec(**{**shown.model_dump(), "size": answers.shape[1]})
    opset = onnx.load_from_string(model).opset_import[0].version
    contract = make_contract(task, SIZE, output=output, opset=opset, **changes)
    write_bundle(folder, model, contract, golden, answers)
    return folder


@pytest.fixture(scope="module")
def formed(tmp_path_factory: pytest.TempPathFactory, judge_onnx: bytes, pictures: np.ndarray) -> Path:
    """A spoof bundle with its form."""
    folder = bundle(tmp_path_factory.mktemp("formed") / "fp32", judge_onnx, Task.SPOOF, pictures)
    write_ncnn_form(folder)
    return folder


@pytest.fixture
def copied(formed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(formed, tmp_path / "fp32"))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
def test_ncnn_answers_as_the_bundle_does(
    task: Task, mirrored: bool, embedder: nn.Module, judge: nn.Module, pictures: np.ndarray, tmp_path: Path
) -> None:
    network = embedder if task is Task.RECOGNITION else judge
    model = export(asking_twice(network) if mirrored else network, task, SIZE)
    folder = bundle(tmp_path / "fp32", model, task, pictures)
    write_ncnn_form(folder)
    session = Session(load_bundle(folder), runtime="ncnn", check_golden=True)
    np.testing.assert_allclose(session.run(pictures[:7]), run(model, pictures[:7]), atol=1e-4)
    assert session.run(pictures[:0]).shape == (0, run(model, pictures[:1]).shape[1])


def test_auto_measures_it_too(formed: Path) -> None:
    choice = Session(load_bundle(formed), runtime="auto").choice
    assert choice is not None
    assert choice.trials["ncnn"].ms is not None


def test_the_same_bundle_gives_the_same_form(formed: Path, copied: Path) -> None:
    write_ncnn_form(copied)
    for file in (formed / FORM).iterdir():
        assert file.read_bytes() == (copied / FORM / file.name).read_bytes()


def test_a_bundle_without_a_form_says_how_to_make_it(copied: Path) -> None:
    shutil.rmtree(copied / FORM)
    with pytest.raises(BundleError, match="facegate ncnn"):
        Session(load_bundle(copied), runtime="ncnn")


def test_an_edited_form_is_refused(copied: Path) -> None:
    weights = copied / FORM / "network.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match=r"network\.bin was edited"):
        Session(load_bundle(copied), runtime="ncnn")


def test_a_form_of_another_model_is_refused(copied: Path) -> None:
    about = copied / FORM / "form.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "model_sha256": "0" * 64}))
    with pytest.raises(BundleError, match="model_sha256"):
        Session(load_bundle(copied), runtime="ncnn")


@pytest.mark.parametrize("text", ["", "{}", '{"model_sha256": 1}'])
def test_a_form_that_does_not_say_what_it_is_is_refused(copied: Path, text: str) -> None:
    (copied / FORM / "form.json").write_text(text)
    with pytest.raises(BundleError, match="cannot be read"):
        Session(load_bundle(copied), runtime="ncnn")


def test_a_form_that_ncnn_cannot_read_is_refused(copied: Path) -> None:
    from hashlib import sha256

    (copied / FORM / "network.param").write_text("nothing\n")
    about = copied / FORM / "form.json"
    form = json.loads(about.read_text())
    form["sha256"]["network.param"] = sha256(b"nothing\n").hexdigest()
    about.write_text(json.dumps(form))
    with pytest.raises(BundleError, match="ncnn cannot read it"):
        Session(load_bundle(copied), runtime="ncnn")


def test_where_signatures_are_demanded_a_form_has_none(formed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(formed)
    monkeypatch.setattr(signing, "trust_configured", lambda: True)
    with pytest.raises(BundleError, match="no signature covers it"):
        Session(bundle, runtime="ncnn")


def test_a_quantised_bundle_has_no_form(judge_onnx: bytes, pictures: np.ndarray, tmp_path: Path) -> None:
    arm = Quantisation(target="arm64", method="minmax", calibration_digest="3" * 64)
    folder = bundle(tmp_path / "arm64", judge_onnx, Task.SPOOF, pictures, quantisation=arm)
    with pytest.raises(BundleError, match="`target` is arm64"):
        write_ncnn_form(folder)


def test_a_network_that_was_exported_otherwise_is_refused(tmp_path: Path, pictures: np.ndarray) -> None:
    folder = bundle(tmp_path / "fp32", make_model(Task.SPOOF, SIZE), Task.SPOOF, pictures)
    with pytest.raises(BundleError, match="planes"):
        write_ncnn_form(folder)
    assert not (folder / FORM).exists()


def test_what_ncnn_does_not_know_is_named(judge: nn.Module, pictures: np.ndarray, tmp_path: Path) -> None:
    class Largest(nn.Module):
        def forward(self, x):
            return judge(x).amax(1, keepdim=True) * judge(x)

    folder = bundle(tmp_path / "fp32", export(Largest(), Task.SPOOF, SIZE), Task.SPOOF, pictures)
    with pytest.raises(BundleError, match="ReduceMax"):
        write_ncnn_form(folder)
    assert not (folder / FORM).exists()


def test_without_the_converter_the_extra_is_named(formed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncnn_form.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"facegate\[ncnn-convert\]"):
        write_ncnn_form(formed)

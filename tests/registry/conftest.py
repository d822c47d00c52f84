"""A real SQLite store per test, copied from one that is built once per session."""

import shutil
from pathlib import Path

import pytest

from facegate.params import Params, load_params
from facegate.registry.store import Store, init_store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow's tables and nothing else; made once, since its migrations take seconds."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        init_store(folder)
    return folder / "mlruns" / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with an empty store, which is also the current folder."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    (root / "mlruns").mkdir(parents=True)
    shutil.copyfile(empty_database, root / "mlruns" / "mlflow.db")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def store(project: Path) -> Store:
    return init_store(project)


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")

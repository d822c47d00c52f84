"""Opening, creating and refusing tracking stores."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from facegate.errors import RegistryError
from facegate.registry import store as stores
from facegate.registry.store import ensure_experiment, open_store, store_uri

FIRST_TOUCH = """
import os, sys
from pathlib import Path
from facegate.registry.store import ensure_experiment, init_store
children = []
for _ in range(4):
    children.append(os.fork())
    if not children[-1]:
        experiment = ensure_experiment(init_store(Path(sys.argv[1])), "facegate")
        os.write(1, (experiment + chr(10)).encode())
        os._exit(0)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""
"""What MLflow takes seconds to load is loaded once, and all four begin at the same moment.
Each writes its line in one call: `print` takes two, and another's may come between them."""


def test_four_processes_may_touch_a_fresh_store_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = [sys.executable, "-c", FIRST_TOUCH, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split()
    assert len(printed) == 4 and len(set(printed)) == 1
    assert not list((tmp_path / "mlruns").glob(".mlflow.db.partial*"))


def test_the_store_lies_in_the_project_folder(project: Path, store: stores.Store) -> None:
    assert store.uri == f"sqlite:///{project}/mlruns/mlflow.db"
    experiment = store.client.get_experiment(ensure_experiment(store, "facegate", "a note"))
    assert experiment.artifact_location == f"file://{project}/mlruns/artifacts/facegate"
    assert experiment.tags["mlflow.note.content"] == "a note"
    assert ensure_experiment(store, "facegate") == experiment.experiment_id


def test_dvc_root_wins_over_the_current_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.chdir(tmp_path)
    assert store_uri() == f"sqlite:///{project}/mlruns/mlflow.db"


def test_tracking_uri_of_the_environment_wins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other/mlflow.db")
    assert store_uri() == f"sqlite:///{project}/other/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert store_uri() == "http://tracking:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    with pytest.raises(RegistryError, match="no file store any more"):
        store_uri()


def test_reading_never_creates_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(RegistryError, match="make repro"):
        open_store(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_moved_store_names_the_remedy(project: Path, store: stores.Store) -> None:
    ensure_experiment(store, "facegate")
    moved = project.rename(project.with_name("moved"))
    with pytest.raises(RegistryError, match="facegate registry relocate"):
        open_store(moved)


def test_a_damaged_store_names_the_remedy(project: Path) -> None:
    (project / "mlruns" / "mlflow.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RegistryError, match="damaged"):
        open_store(project)


def test_a_store_of_another_mlflow_names_the_remedy(project: Path) -> None:
    with sqlite3.connect(project / "mlruns" / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'cafe'")
    with pytest.raises(RegistryError, match="mlflow db upgrade"):
        open_store(project)


def test_a_server_that_is_away_is_named_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # discard: nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with pytest.raises(
        RegistryError, match=r"^http://127\.0\.0\.1:9: the server does not answer\n"
    ) as caught:
        open_store()
    assert "MLFLOW_TRACKING_URI" in caught.value.remedy
    assert "Retrying" not in "".join(capfd.readouterr())


def test_a_locked_store_names_the_remedy(project: Path, store: stores.Store) -> None:
    database = project / "mlruns" / "mlflow.db"
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    impatient = sqlite3.connect(database, timeout=0)
    try:
        with pytest.raises(RegistryError, match="another process"), stores.store_errors(store.uri):
            impatient.execute("DELETE FROM runs")
    finally:
        blocker.close()
        impatient.close()


HALF_A_COMMIT = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.executescript("PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (x);")
for _ in range(200):
    connection.execute("INSERT INTO half VALUES (zeroblob(4000))")
os._exit(9)
"""


def test_a_writer_that_was_killed_leaves_a_usable_store(project: Path) -> None:
    database = project / "mlruns" / "mlflow.db"
    subprocess.run([sys.executable, "-c", HALF_A_COMMIT, str(database)], check=False)
    assert database.with_name("mlflow.db-journal").exists()
    assert open_store(project).client.search_experiments()
    assert not database.with_name("mlflow.db-journal").exists()


def test_a_deleted_experiment_names_the_remedy(store: stores.Store) -> None:
    store.client.delete_experiment(ensure_experiment(store, "facegate"))
    with pytest.raises(RegistryError, match="restore"):
        ensure_experiment(store, "facegate")

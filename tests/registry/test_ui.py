"""The UI's command, and a real server behind it."""

import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from werkzeug.security import generate_password_hash

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.evidence import Evidence
from facegate.registry.listing import list_versions, newest_candidate
from facegate.registry.promote import check, promote, rollback
from facegate.registry.register import register_bundle
from facegate.registry.releases import pull, served_version
from facegate.registry.store import Store, init_store, open_store
from facegate.registry.ui import server_command, ui_command, ui_environment, ui_page
from facegate.registry.verify import verify
from facegate.runtime.release import open_release, read_release
from tests.ports import free_port
from tests.registry.conftest import build_release


@pytest.fixture
def server(store: Store) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        server_command(store, "127.0.0.1", port),
        env=ui_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def test_the_ui_is_small_private_and_quiet(store: Store) -> None:
    command = ui_command(port=5001)
    assert "mlflow server --workers 1 --host 127.0.0.1 --port 5001" in " ".join(command)
    assert store.uri in command
    assert ui_environment()["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert ui_environment()["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert ui_page(5001).startswith("http://127.0.0.1:5001/")


def test_the_whole_way_goes_through_a_server_too(
    server: str,
    params: Params,
    make_bundle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = make_bundle()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert init_store().folder is None
    first = register_bundle(folder, params, Evidence(metrics={"eer": 0.05}), inputs={})
    again = register_bundle(folder, params, Evidence(), inputs={})
    assert (first.created, again.created) == (True, False)
    assert [row.aliases for row in list_versions()] == [("candidate",)]
    copy = newest_candidate(Task.RECOGNITION, into=tmp_path / "cache")
    assert (copy / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()


def test_a_server_that_is_away_names_the_remedy(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match="check that the server runs"):
        open_store()


AUTH = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = release-owner
admin_password = correct-horse-battery
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


@pytest.fixture
def guarded(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that asks for name and password."""
    (tmp_path / "auth.ini").write_text(AUTH.format(folder=tmp_path))
    secrets = {
        "MLFLOW_AUTH_CONFIG_PATH": str(tmp_path / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "only for this test",
    }
    port = free_port()
    process = subprocess.Popen(
        [*server_command(store, "127.0.0.1", port), "--app-name", "basic-auth"],
        env={**ui_environment(), **secrets},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        make_checks_cheap(tmp_path / "auth.db")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def make_checks_cheap(database: Path) -> None:
    """The server hashes the password several times per request, 0.3 s each: here once round is enough."""
    cheap = generate_password_hash("correct-horse-battery", method="pbkdf2:sha256:1")
    with closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute("UPDATE users SET password_hash = ?", (cheap,)).rowcount == 1


def test_a_release_goes_its_whole_way_through_a_server_with_passwords(
    guarded: str, params: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Register, release, promote, roll back, verify, pull; then the folder runs with no server at all."""
    with pytest.raises(RegistryError, match="MLFLOW_TRACKING_PASSWORD"):
        init_store()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "release-owner")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(RegistryError, match="MLFLOW_TRACKING_PASSWORD"):
        init_store()
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "correct-horse-battery")
    for weight in (1.0, 2.0):
        build_release(tmp_path / "outside", params, weight, 3.0, "")
        promote(check(params, "production"), override="a test of the way, not of the models")
    rollback(params)
    assert verify(params) == []
    assert served_version()[0] == 1
    out = tmp_path / "door"
    manifest = pull("release@production", out)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    rgb = np.zeros((64, 64, 3), np.uint8)
    assert open_release(out).look(rgb) == []
    assert read_release(out) == manifest

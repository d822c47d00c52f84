"""The UI's command, and a real server behind it."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.evidence import Evidence
from facegate.registry.listing import list_versions, newest_candidate
from facegate.registry.register import register_bundle
from facegate.registry.store import Store, init_store, open_store
from facegate.registry.ui import server_command, ui_command, ui_environment, ui_page


@pytest.fixture
def server(store: Store) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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

"""The service as a trial needs it: started on given models with an empty database, ended with the trial."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegate.errors import FacegateError, MissingExtraError

START_S = 300.0
"""Longest wait for the service to get ready, on a machine that does other work, seconds."""
FIRST_KEY = "first-admin.key"


@dataclass(frozen=True)
class Door:
    """A running service.

    Attributes:
        address: where it listens.
        key: of an administrator.
    """

    address: str
    key: str

    def enrol(self, name: str, pictures: Sequence[bytes]) -> dict[str, Any]:
        """Enrol a person from JPEG pictures; a face like another's is a trial's finding and no obstacle.

        Returns:
            The service's answer; its ``person`` is None if nothing was stored.
        """
        files = [("pictures", (f"{i}.jpg", data, "image/jpeg")) for i, data in enumerate(pictures)]
        fields = {"name": name, "allow_duplicate": "true"}
        answer = _httpx().post(
            f"{self.address}/v1/persons", data=fields, files=files, headers=self._headers, timeout=60
        )
        document = answer.json()
        return document if answer.is_success else document.get("enrolment") or {"pictures": []}

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@contextlib.contextmanager
def running(data: Path, bundles: Path | None = None, release: Path | None = None) -> Iterator[Door]:
    """Start the service on a free port and end it afterwards.

    Args:
        data: empty folder for its database and keys; its log is kept there too.
        bundles: folder of bundles that were never promoted.
        release: a pulled release; one of the two is given.

    Raises:
        FacegateError: it did not get ready; the message ends with its last lines.
    """
    source = ["--release", str(release)] if release else ["--bundles", str(bundles or "artifacts")]
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "facegate.cli",
        "serve",
        *source,
        "--port",
        str(port),
        "--data",
        str(data),
    ]
    environment = {**os.environ, "FACEGATE_SERVE_DEDUP_S": "0"}  # whoever comes again is a trial of its own
    log = data / "service.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(address, process, log)
        yield Door(address, (data / FIRST_KEY).read_text().strip())
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    httpx, end, said = _httpx(), time.monotonic() + START_S, ""
    while time.monotonic() < end and process.poll() is None and not said:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"{address}/readyz", timeout=5)
            if answer.status_code == 200:
                return
            said = "\n".join(answer.json()["problems"])
        time.sleep(0.1)
    said = said or "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise FacegateError(
        f"the service did not get ready: {said}", "mend what it says, then start the trial again"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise MissingExtraError("httpx is not installed", "pip install 'facegate[dev]'") from error
    return httpx

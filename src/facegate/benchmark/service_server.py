"""A real service in a process of its own, and a caller that costs little beside it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

BOUNDARY = "facegate-load"


class Server(NamedTuple):
    """A running service."""

    port: int
    key: str
    process: psutil.Process


class Answer(NamedTuple):
    """One answered request."""

    status: int
    seconds: float
    digest: str


@contextmanager
def running(release: Path, folder: Path) -> Iterator[Server]:
    """A service around a release, on a free port of the loopback, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wanted = {"RATE": "1e6", "BURST": "1000000", "QUEUE": "200"}
    environment = {**os.environ, **{f"FACEGATE_SERVE_{name}": value for name, value in wanted.items()}}
    command = [sys.executable, "-m", "facegate.cli", "serve", "--release", str(release)]
    command += ["--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        _until_ready(port)
        key = (folder / "first-admin.key").read_text().strip()
        yield Server(port, key, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(60)


def _until_ready(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the service did not become ready within two minutes")


class Caller:
    """Asks ``identify`` over one kept connection a thread."""

    def __init__(self, server: Server, pictures: list[bytes]) -> None:
        self.server = server
        self.bodies = [_multipart(picture) for picture in pictures]
        self.headers = {
            "Authorization": f"Bearer {server.key}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }
        self.local = threading.local()

    def __call__(self, number: int) -> Answer:
        """Ask about one picture."""
        start = time.perf_counter()
        try:
            status, body = self._ask(self.bodies[number % len(self.bodies)])
        except (OSError, http.client.HTTPException):
            self.local.connection = None
            return Answer(0, time.perf_counter() - start, "")
        digest = json.loads(body)["model"]["digest"] if status == 200 else ""
        return Answer(status, time.perf_counter() - start, digest)

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.local.connection = connection
        connection.request("POST", "/v1/identify", body, self.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _multipart(picture: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    return head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()

"""Minutes of hostile input, over a real socket: `pytest -m soak -s`. The service neither breaks nor grows."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import psutil
import pytest

from facegate.faces.picture import load_picture
from tests.ports import free_port
from tests.serving.conftest import jpeg, write_release
from tests.serving.test_uploads import HOSTILE, png_header

pytestmark = pytest.mark.soak
UPLOADS = int(os.environ.get("FACEGATE_SOAK_UPLOADS", "5000"))
GROWTH_MB = 60.0
"""Larger than what allocators keep back, far smaller than one leaked picture in a hundred would make."""


class Server(NamedTuple):
    url: str
    key: str
    process: psutil.Process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("soak")
    write_release(folder / "release")
    port = free_port()
    limits = {
        "RATE": "1e6",
        "BURST": "1000000",
        "FAILURES": "1000000",
        "MAX_BYTES": "2000000",
        "MAX_PIXELS": "4000000",
    }
    environment = {**os.environ, **{f"FACEGATE_SERVE_{name}": value for name, value in limits.items()}}
    command = [sys.executable, "-m", "facegate.cli", "serve", "--release", str(folder / "release")]
    command += ["--data", str(folder / "var"), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url)
            key = (folder / "var" / "first-admin.key").read_text().strip()
            yield Server(url, key, psutil.Process(process.pid))
            assert process.poll() is None, "the service ended by itself"
        finally:
            process.terminate()
            process.wait(60)
    assert b"traceback" not in (folder / "log").read_bytes().lower()


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError("the service did not become ready")


def hostile(rng: random.Random, good: bytes) -> bytes:
    """One upload: a known trick, or a picture cut, flipped, glued, repeated, or with its size forged."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.choice(list(HOSTILE.values()))[0]
    if kind == 1:
        return png_header(rng.choice([1, 7, 1000, 60_000, 2**31 - 1]), rng.choice([1, 9, 1500, 2**31 - 1]))
    at = rng.randrange(len(good))
    junk = rng.randbytes(rng.choice([1, 2, 16, 400]))
    if kind == 2:
        return good[:at]
    if kind == 3:
        return good[:at] + junk + good[at + len(junk) :]
    if kind == 4:
        return good + rng.choice([b"PK\x03\x04", b"MZ", b"%PDF-", b"\0\0"]) + junk
    if kind == 5:
        return good[: at // 2] * 3 + good
    return rng.randbytes(rng.choice([0, 10, 5000, 2_100_000]))


def test_hostile_uploads(server: Server, photos: Path) -> None:
    rng = random.Random(20)
    small = jpeg(np.ascontiguousarray(load_picture(photos / "obama.jpg")[::6, ::6]))
    routes = ("detect", "identify", "spoof", "attendance/picture")
    seen: Counter[int] = Counter()
    sizes = []
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=120
    ) as client:
        for number in range(UPLOADS):
            data = hostile(rng, small)
            try:
                answer = client.post(f"/v1/{rng.choice(routes)}", files={"picture": data})
                seen[answer.status_code] += 1
                assert answer.status_code in (200, 413, 422), (answer.status_code, answer.text, data[:60])
            except (httpx.WriteError, httpx.ReadError):  # it hung up on a body that is too large
                assert len(data) > 2_000_000
                seen[0] += 1
            if number % 250 == 249:
                sizes.append(server.process.memory_info().rss / 1e6)
    print(
        f"\n{UPLOADS} hostile uploads: {dict(sorted(seen.items()))}; RSS {sizes[0]:.0f} → {sizes[-1]:.0f} MB"
    )
    warm = sizes[len(sizes) // 4] if len(sizes) > 3 else sizes[0]
    assert sizes[-1] - warm < GROWTH_MB, sizes

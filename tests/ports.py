"""Free ports for servers that tests start, so that no two workers of pytest-xdist are given the same one."""

import os
import random
import socket

FIRST, EACH, RANGES = 10_000, 1000, 20
"""Below what a kernel hands out by itself (32768 and on), so that no outgoing connection takes a port in between."""


def free_port() -> int:
    """A loopback port nobody listens on, out of the range of this worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    start = FIRST + EACH * (int(worker) % RANGES)
    for port in random.SystemRandom().sample(range(start, start + EACH), EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no port between {start} and {start + EACH} is free")

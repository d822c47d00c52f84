"""`make repro`: the whole graph, its two branches side by side.

DVC runs one stage at a time, and many stages keep one core only. Recognition and spoof detection (with what stands on it:
clips, eyes) meet where the data set is made and where everything is measured; between, each branch has its own
`dvc repro`, as DVC's documentation advises. `dvc repro` alone gives the same files, later.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

from facegate.contracts import Task
from facegate.errors import FacegateError
from facegate.params import Params, load_params

TOGETHER = ("prepare",)
"""Last stages that take all cores by themselves, before the branches part."""
BAR_EVERY = 10.0
"""Seconds between two looks at a progress bar of a branch."""


def branches(params: Params) -> dict[str, list[str]]:
    """Targets of each branch by its name; one branch at most if there is one task."""
    ends = {task: f"evaluate{'_clips' * (task is Task.LIVENESS)}@{task}" for task in params.tasks}
    parts = {
        "recognition": [ends[task] for task in params.tasks if task is Task.RECOGNITION],
        "spoof": [ends[task] for task in params.tasks if task is not Task.RECOGNITION],
    }
    return {name: targets for name, targets in parts.items() if targets}


def main() -> int:
    """Run the graph; the first failing branch decides the exit code, and the other one is run to its end."""
    try:
        parts = branches(load_params())
    except FacegateError as error:
        raise SystemExit(f"facegate: {error}") from error
    if len(parts) > 1:
        failed = _repro(*TOGETHER) or _side_by_side(parts)
        if failed:
            return failed
    return _repro()


def _command(*targets: str) -> list[str]:
    return [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", *targets]


def _repro(*targets: str) -> int:
    return subprocess.run(_command(*targets), check=False).returncode


def _side_by_side(parts: dict[str, list[str]]) -> int:
    running = {
        name: subprocess.Popen(_command(*targets), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name, targets in parts.items()
    }
    width = max(map(len, parts))
    relays = [
        threading.Thread(target=_relay, args=(f"{name:>{width}} │ ", process.stdout))
        for name, process in running.items()
    ]
    for relay in relays:
        relay.start()
    codes = [process.wait() for process in running.values()]
    for relay in relays:
        relay.join()
    return next((code for code in codes if code), 0)


def _relay(prefix: str, stream: IO[bytes]) -> None:
    """Print a branch's lines under its name, and of its progress bars a look now and then."""
    shown = time.monotonic()
    for text, whole in _lines(stream):
        if text.strip() and (whole or time.monotonic() - shown >= BAR_EVERY):
            print(prefix + text, flush=True)
            shown = time.monotonic()


def _lines(stream: IO[bytes]) -> Iterator[tuple[str, bool]]:
    """Text up to each line end or return to the line's start, and whether it was a line end."""
    held = bytearray()
    while byte := stream.read(1):
        if byte in b"\r\n":
            yield held.decode(errors="replace"), byte == b"\n"
            held.clear()
        else:
            held += byte
    if held:
        yield held.decode(errors="replace"), True


if __name__ == "__main__":
    sys.exit(main())

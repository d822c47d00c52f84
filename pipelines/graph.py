"""`make repro`: the whole graph, its two branches side by side.

DVC runs one stage at a time, and many stages keep one core only. Between the data set and the measurements, which take
the machine for themselves, recognition and eyes on the one hand, spoof detection with the clips that stand on it on
the other need nothing of each other: each gets its own `dvc repro`. `dvc repro` alone gives the same files, later.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO

from facegate.contracts import Task
from facegate.whole import write_whole
from pipelines.lock import LOCK, mend

FIRST = "prepare"
"""Stages up to these take all cores by themselves; the branches part behind them."""
LAST = ("benchmark", "frame", "register")
"""Stages that come when both branches have ended."""
SPOOF_BRANCH = {Task.SPOOF, Task.LIVENESS, "card"}
"""Clips stand on the spoof network; with the card beside them both branches take about as long."""
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
BAR_EVERY = 10.0
"""Seconds between two looks at a progress bar of a branch."""


def branches(stages: Sequence[str]) -> dict[str, list[str]]:
    """Stages of each branch by its name; none where one branch would be empty.

    Args:
        stages: all of the graph, each behind those that it needs: ``kind`` or ``kind@task-target``.
    """
    parts: dict[str, list[str]] = {"recognition": [], "spoof": []}
    for stage in stages[_end_of_first(stages) :]:
        kind, _, of = stage.partition("@")
        task = of.split("-")[0]
        if kind not in LAST:
            parts["spoof" if SPOOF_BRANCH & {kind, task} else "recognition"].append(stage)
    return parts if all(any("@" in stage for stage in part) for part in parts.values()) else {}


def _end_of_first(stages: Sequence[str]) -> int:
    return 1 + max((i for i, stage in enumerate(stages) if stage.startswith(f"{FIRST}@")), default=-1)


def main() -> int:
    """Run the graph; the first failing branch decides the exit code, and the other one is run to its end."""
    parts = branches(_stages())
    if parts:
        failed = _repro(FIRST) or _side_by_side(parts)
        if failed:
            return failed
    return _repro()


def _stages() -> list[str]:
    """All stages in the order of dvc.yaml, the lock file mended before if need be; none if DVC cannot read them."""
    listed = _listed()
    if listed.returncode and LOCK.name in listed.stderr and LOCK.is_file():
        before = LOCK.read_bytes()
        if mend(LOCK):
            listed = _listed()
            if listed.returncode:  # something else is wrong with it, a conflict of a merge for instance
                write_whole(LOCK, before)
    return [] if listed.returncode else listed.stdout.split()


def _listed() -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DVC, "stage", "list", "--name-only"], capture_output=True, text=True, check=False)


def _repro(*targets: str) -> int:
    return subprocess.run([*DVC, "repro", *targets], check=False).returncode


def _side_by_side(parts: dict[str, list[str]]) -> int:
    running = {
        name: subprocess.Popen(
            [*DVC, "repro", "--single-item", *stages], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for name, stages in parts.items()
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

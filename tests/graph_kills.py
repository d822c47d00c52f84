"""Kill -9 at every stage of the smoke graph: ``python -m tests.graph_kills [SEED]``, a quarter of an hour on two cores.

One graph runs undisturbed, stage after stage. In another one the branches run side by side as in ``make repro``, and
everything is killed a moment after each stage has begun, once for every stage, and started again. While one run is under
way a second one is tried. In the end both projects must hold the same metrics, the same models to the byte, and as many
registered versions.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from facegate.datasets.pack import sha256_file
from tests.test_graph import environment, run, smoke_copy, versions

LONGEST_S = 4.0
"""A stage is killed within so many seconds of its begin."""
STAGE = re.compile(r"^(.*)Running stage '([^']+)'", re.MULTILINE)
"""What stands before it names the branch."""


def start(project: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the graph in a group of processes of its own."""
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines.graph"],
            cwd=project,
            env=environment(project),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def begun(log: Path) -> list[tuple[str, str]]:
    """Branch and name of each stage that a run has begun so far."""
    return STAGE.findall(log.read_text(errors="replace"))


def under_way(log: Path) -> set[str]:
    """The last stage that each branch has begun."""
    return set(dict(begun(log)).values())


def kill_each(project: Path, draw: random.Random) -> tuple[list[str], str]:
    """Run the graph until it ends, killed once in every stage that gives time for it.

    Returns:
        Stages that were killed and ran again, and what a second graph was told while the first one ran.
    """
    log, tried, killed, told = project.parent / "repro.log", set[str](), list[str](), ""
    while True:
        process, victim = start(project, log), ""
        while process.poll() is None and not victim:
            time.sleep(0.05)
            victim = next((stage for _, stage in begun(log) if stage not in tried), "")
        if not victim:
            break
        tried.add(victim)
        told = told or run(project, "dvc", "repro", check=False).stderr
        time.sleep(draw.uniform(0.1, LONGEST_S))
        if process.poll() is None:
            others = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            # DVC takes a stage for busy while who ran it is in the process table
            psutil.wait_procs(others, timeout=30)
            if victim in under_way(log):
                killed.append(victim)
        print(f"{victim}: {'killed' if victim in killed else 'was quicker'}", flush=True)
    if process.returncode:
        raise SystemExit(f"the graph did not recover:\n{log.read_text(errors='replace')[-4000:]}")
    return killed, told


def left_behind(project: Path) -> dict[str, str]:
    """SHA-256 of all metrics and models."""
    patterns = ("metrics/*.json", "artifacts/*/candidates/*/model.onnx", "artifacts/*/trained/model.pt")
    files = [file for pattern in patterns for file in project.glob(pattern)]
    return {str(file.relative_to(project)): sha256_file(file) for file in files}


def main(seed: int) -> None:
    """Run both graphs and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        calm, killed = (Path(scratch) / name / "project" for name in ("calm", "killed"))
        for project in (calm, killed):
            smoke_copy(project)
        run(calm, "dvc", "repro")
        victims, told = kill_each(killed, random.Random(seed))
        print(f"{len(victims)} stages killed and run again")
        print(f"a second graph was told: {told.strip()[-300:]}")
        one, other = left_behind(calm), left_behind(killed)
        differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
        counts = [sum("facegate-" in line for line in versions(project)) for project in (calm, killed)]
        print(f"{len(one)} metrics and models, {len(differing)} of them differ: {differing}")
        print(f"registered versions: {counts[0]} and {counts[1]}")
        if differing or counts[0] != counts[1]:
            raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)

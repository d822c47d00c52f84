"""What every stage shares: parameters in, readable errors out, JSON written whole."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.errors import told_in_words
from facegate.params import Params, load_params
from facegate.whole import write_whole

ASSETS = Path("data/assets")
SAMPLES = Path("data/samples")
CHECKPOINTS = Path("checkpoints")
SHARDS = Path(".cache/shards")


def crops(task: Task) -> Path:
    """Crop pack of a task."""
    return Path("data/crops") / task


def pool(task: Task) -> Path:
    """Further training pictures of a task."""
    return Path("data/pool") / task


def training_inputs(task: Task) -> dict[str, Path]:
    """What a task's network is trained on, by a short name."""
    beside = {
        Task.LIVENESS: {"spoof": artifacts(Task.SPOOF) / "trained"},
        Task.EYES: {},
    }
    return {"crops": crops(task), **beside.get(task, {"pool": pool(task)})}


def artifacts(task: Task) -> Path:
    """What training and exporting a task leaves behind."""
    return Path("artifacts") / task


def task_argument() -> Task:
    """The task that the stage's command line names."""
    return Task(sys.argv[1])


def run(stage: Callable[[Params], None]) -> None:
    """Run a stage and say how long it took; an error that the user can mend is told in words and ends with code 1."""
    start = time.perf_counter()
    with told_in_words():
        stage(load_params())
    print(f"took {time.perf_counter() - start:.0f} s")


def write_json(path: Path, values: Any) -> None:
    """Write JSON so that it is there whole or not at all."""
    write_whole(path, json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n")

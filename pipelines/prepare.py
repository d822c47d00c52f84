"""Stage `prepare`: find faces, align or crop them."""

from functools import partial
from pathlib import Path

from facegate.contracts import Task
from facegate.datasets.clip_strips import prepare_clips
from facegate.datasets.eye_crops import prepare_eyes
from facegate.datasets.prepare import prepare
from facegate.params import Params
from pipelines.stage import SAMPLES, crops, run, task_argument, write_json


def main(params: Params) -> None:
    """Write the crop pack of one task and its detection statistics."""
    task = task_argument()
    make = {Task.LIVENESS: prepare_clips, Task.EYES: prepare_eyes}.get(task, partial(prepare, task))
    write_json(Path(f"metrics/prepare_{task}.json"), make(SAMPLES, crops(task), params.prepare))


if __name__ == "__main__":
    run(main)

"""Stage `prepare`: find faces, align or crop them."""

from pathlib import Path

from facegate.datasets.prepare import prepare
from facegate.params import Params
from pipelines.stage import SAMPLES, crops, run, task_argument, write_json


def main(params: Params) -> None:
    """Write the crop pack of one task and its detection statistics."""
    task = task_argument()
    write_json(Path(f"metrics/prepare_{task}.json"), prepare(task, SAMPLES, crops(task), params.prepare))


if __name__ == "__main__":
    run(main)

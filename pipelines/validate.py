"""Stage `validate`: hold a task's packs against their contracts; a broken one stops the graph."""

from pathlib import Path

from facegate.datasets.validation import validate
from facegate.params import Params
from pipelines.stage import SAMPLES, crops, run, task_argument


def main(params: Params) -> None:
    """Check the packs and write the report."""
    task = task_argument()
    validate(task, SAMPLES, crops(task), Path("reports/validate"), params.validate_)


if __name__ == "__main__":
    run(main)

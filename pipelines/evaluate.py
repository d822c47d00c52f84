"""Stage `evaluate`: score tables, figures with intervals, pages; bundles completed with operating points."""

from pathlib import Path

from facegate.contracts import Task
from facegate.evaluation.stage import Places, evaluate_task
from facegate.params import Params
from facegate.sources.teacher import TEACHER_FILE
from pipelines.stage import ASSETS, artifacts, crops, run, task_argument, write_json


def main(params: Params) -> None:
    """Evaluate every exported bundle of a task."""
    task = task_argument()
    places = Places(
        crops=crops(task),
        exported=artifacts(task) / "exported",
        candidates=artifacts(task) / "candidates",
        scores=Path("scores") / task,
        reports=Path("reports") / task,
        beside=_beside(task, params),
    )
    write_json(Path(f"metrics/{task}.json"), evaluate_task(task, places, params.evaluate))


def _beside(task: Task, params: Params) -> Path | None:
    if task is Task.RECOGNITION and params.recognition.lessons:
        return ASSETS / TEACHER_FILE
    return artifacts(Task.SPOOF) / "candidates" / "fp32" if task is Task.LIVENESS else None


if __name__ == "__main__":
    run(main)

"""Further training pictures of a task, where its recipe asks for them."""

import json
import shutil
from pathlib import Path

from facegate.contracts import Task
from facegate.params import Params
from facegate.sources.teacher import TEACHER_FILE
from facegate.training.content import write_content
from facegate.training.pool import write_lessons

NOTHING = "nothing.json"


def write_pool(task: Task, params: Params, crops: Path, assets: Path, out: Path, cache: Path) -> None:
    """Write the pack that `task` trains on beside its crops, or a note that it needs none.

    Args:
        task: recognition (a teacher's lessons) or spoof (content that is not faces).
        params: all parameters.
        crops: crop pack of the task.
        assets: folder that holds the teacher.
        out: folder of the pack.
        cache: untracked folder of finished shards.

    Raises:
        PackError: the crops are unreadable, a worker was killed, or the disk is full.
        SourceError: the teacher is missing or unreadable.
    """
    workers = params.prepare.workers
    if task is Task.RECOGNITION and params.recognition.lessons:
        write_lessons(crops, assets / TEACHER_FILE, out, params.recognition.lessons, cache, workers)
    elif task is Task.SPOOF and params.spoof.content:
        write_content(out, params.spoof.content, params.prepare.context_size, cache, workers)
    else:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        (out / NOTHING).write_text(json.dumps({"task": task, "why": "the recipe asks for none"}) + "\n")

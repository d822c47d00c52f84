"""Runs in each of several processes that train together: `python -m tests.training.together JOBS.json`."""

import json
import sys
from pathlib import Path

from facegate.contracts import Task
from facegate.params import parse_params
from facegate.training.fit import fit
from facegate.training.run import follows


def main(jobs: Path) -> None:
    """Train every job, and say of each process whether it leads or follows."""
    for job in json.loads(jobs.read_text()):
        params, out = parse_params(job["params"]), Path(job["out"])
        initial = Path(job["initial"]) if job["initial"] else None
        fit(Task.RECOGNITION, params, Path(job["crops"]), out, out.parent / "work", initial=initial)
        (out.parent / f"{out.name}-{'follows' if follows() else 'leads'}").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

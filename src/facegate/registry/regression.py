"""Is a release worse than the one in production? Both are compared pair by pair on the same frozen test set."""

from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.errors import FacegateError
from facegate.evaluation.compare import compare_recognition, compare_spoof
from facegate.evaluation.tables import read_table
from facegate.params import EvaluateParams
from facegate.registry.evidence import SCORES
from facegate.registry.release import Manifest

_MEASURE = {Task.RECOGNITION: "eer", Task.SPOOF: "one_minus_auc"}


def no_regression(
    old: tuple[Path, Manifest] | None, new: tuple[Path, Manifest], params: EvaluateParams
) -> tuple[bool, str]:
    """Whether the new release is nowhere certainly worse than the old one, and what was found.

    Args:
        old: folder and manifest of the release in production; None if there is none.
        new: folder and manifest of the one that asks.
        params: resamples, confidence and seed of the paired bootstrap over people.

    Returns:
        The flag, and a note. Releases that were measured on different test sets cannot be compared: that is a
        failure, since nothing then shows that the new one is no worse.
    """
    if old is None:
        return True, "nothing is in production yet"
    notes, sound = [], True
    for task, component in new[1].components.items():
        if task not in old[1].components or task not in _MEASURE:
            continue
        before = old[1].components[task]
        if before.bundle_sha256 == component.bundle_sha256:
            notes.append(f"{task}: the same model")
            continue
        thresholds = (before.threshold, component.threshold)
        try:
            found = compared(task, _scores(old[0], task), _scores(new[0], task), thresholds, params)
        except (FacegateError, OSError) as error:
            sound = False
            notes.append(f"{task}: cannot be compared: {str(error).splitlines()[0]}")
            continue
        sound = sound and not found["low"] > 0
        interval = f"{100 * found['low']:+.2f} to {100 * found['high']:+.2f}"
        notes.append(f"{task}: {_MEASURE[task]} {100 * found['difference']:+.2f} points ({interval})")
    return sound, "; ".join(notes)


def compared(
    task: Task, old: Path, new: Path, thresholds: tuple[float, float], params: EvaluateParams
) -> dict[str, Any]:
    """Difference of two score tables: EER for recognition, 1 − AUC for spoof, by paired bootstrap over people.

    Raises:
        NotMeasurableError: the tables are not of the same test set.
        PackError: one is missing or damaged.
    """
    compare = compare_recognition if task is Task.RECOGNITION else compare_spoof
    first, second = read_table(old)[0], read_table(new)[0]
    return compare(first, second, thresholds, params)[_MEASURE[task]]


def _scores(folder: Path, task: Task) -> Path:
    return folder / "evidence" / task / f"{SCORES}.parquet"

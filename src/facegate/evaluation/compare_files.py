"""Two score tables on disk, compared: what `facegate compare A B` prints."""

from pathlib import Path
from typing import Any

from facegate.contracts import Split, Task
from facegate.errors import NotMeasurableError
from facegate.evaluation import recognition, spoof_points
from facegate.evaluation.compare import compare_recognition, compare_spoof
from facegate.evaluation.tables import comparisons, presentations, read_table
from facegate.params import EvaluateParams


def compare_files(first: Path, second: Path, params: EvaluateParams) -> dict[str, Any]:
    """Is the second system better than the first? Each decides at its own threshold from validation.

    Args:
        first: ``.parquet`` score table of system A.
        second: score table of system B over the same samples.
        params: resamples, confidence and seed.

    Returns:
        The comparison of the task, with ``task``, ``operating_point`` and ``synthetic``.

    Raises:
        PackError: a table is missing or broken.
        NotMeasurableError: the tables are of different tasks or samples.
    """
    (a, about_a), (b, about_b) = read_table(first), read_table(second)
    if about_a["task"] != about_b["task"]:
        raise NotMeasurableError(
            f"{first} is of {about_a['task']} and {second} of {about_b['task']}", "compare models of one task"
        )
    if about_a["task"] == Task.RECOGNITION:
        points = [recognition.operating_points(comparisons(t, Split.VAL), "", params) for t in (a, b)]
        compare, wanted = compare_recognition, ("fmr_1e-2", "eer")
    else:
        points = [spoof_points.operating_points(presentations(t, Split.VAL), "", params) for t in (a, b)]
        compare, wanted = compare_spoof, ("bpcer_5", "bpcer_10", "eer")
    name = next(n for n in wanted if n in points[0] and n in points[1])
    found = compare(a, b, (points[0][name].threshold, points[1][name].threshold), params)
    synthetic = bool(about_a["synthetic"] and about_b["synthetic"])
    return {"task": about_a["task"], "operating_point": name, "synthetic": synthetic, **found}

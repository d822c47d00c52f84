"""How a student stands beside its teacher: the teacher's own figures on the same comparisons, and how alike they answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Split
from facegate.datasets.pack import Pack
from facegate.evaluation.baselines import equal_error
from facegate.evaluation.numbers import plain
from facegate.evaluation.scores import Model, answers, compare_embeddings, rows_of
from facegate.evaluation.tables import comparisons
from facegate.models.recognition.teacher import Teacher
from facegate.params import EvaluateParams

LOW = 0.05
CENTRE = 512
"""Training pictures, at least, whose mean is the centre."""


def beside_teacher(
    pack: Pack, table: pa.Table, student: Model, teacher: Path, params: EvaluateParams
) -> dict[str, Any]:
    """Compare a student with its teacher on the test people.

    Args:
        pack: the recognition crops.
        table: the student's comparison table; its test pairs are compared anew.
        student: the trained model.
        teacher: the ONNX file that it learned from.
        params: resamples, confidence and seed.

    Returns:
        ``eer`` of the teacher, and ``cosine`` between the two embeddings of each picture, both seen from where
        training people are on average: mean, 5 % quantile, number. None of the cosine where the sizes differ.
    """
    test = comparisons(table, Split.TEST)
    rows = pack.rows_named(test.samples)
    ask = Teacher(teacher)
    theirs = ask(pack.images(rows))
    scores = compare_embeddings(theirs, test.probe, test.reference)
    found: dict[str, Any] = {"eer": equal_error(scores, test, params)}
    mine = answers(student, pack, rows)
    if mine.shape == theirs.shape:
        known = rows_of(pack, Split.TRAIN)
        known = known[:: max(1, len(known) // CENTRE)]
        alike = _cosines(
            mine - answers(student, pack, known).mean(0), theirs - ask(pack.images(known)).mean(0)
        )
        found["cosine"] = {
            "mean": float(alike.mean()),
            "quantile_5": float(np.quantile(alike, LOW)),
            "pictures": len(alike),
        }
    return plain(found)


def _cosines(mine: NDArray[np.floating], theirs: NDArray[np.floating]) -> NDArray[np.floating]:
    lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
    return (mine * theirs).sum(1) / lengths

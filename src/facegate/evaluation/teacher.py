"""How a student stands beside its teacher: the teacher's own figures on the same comparisons, and how alike they answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import Split
from facegate.datasets.pack import Pack
from facegate.evaluation.baselines import equal_error
from facegate.evaluation.numbers import plain
from facegate.evaluation.scores import Model, answers, compare_embeddings
from facegate.evaluation.tables import comparisons
from facegate.models.recognition.teacher import Teacher
from facegate.params import EvaluateParams

LOW = 0.05


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
        ``eer`` of the teacher, and ``cosine`` between the two embeddings of each picture: mean, 5 % quantile, number.
        None of the cosine where the two have different sizes.
    """
    test = comparisons(table, Split.TEST)
    row_of = {name: row for row, name in enumerate(pack.column("sample_id"))}
    rows = np.array([row_of[name] for name in test.samples])
    theirs = Teacher(teacher)(pack.images(rows))
    scores = compare_embeddings(theirs, test.probe, test.reference)
    found: dict[str, Any] = {"eer": equal_error(scores, test, params)}
    mine = answers(student, pack, rows)
    if mine.shape == theirs.shape:
        mine = mine / np.linalg.norm(mine, axis=1, keepdims=True)
        alike = (mine * theirs).sum(1)
        found["cosine"] = {
            "mean": float(alike.mean()),
            "quantile_5": float(np.quantile(alike, LOW)),
            "pictures": len(alike),
        }
    return plain(found)

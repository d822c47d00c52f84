import numpy as np
import pytest

from facegate.contracts import Split
from facegate.evaluation.enrolment import templates
from facegate.evaluation.tables import Comparisons, comparisons


def table_of(embeddings, subjects):
    """Every comparison of unit embeddings."""
    probe, reference = np.triu_indices(len(subjects), 1)
    return Comparisons(
        np.array([f"s{k:03}" for k in range(len(subjects))]),
        subjects,
        np.unique(subjects).astype(object),
        probe,
        reference,
        subjects[probe] == subjects[reference],
        np.einsum("nd,nd->n", embeddings[probe], embeddings[reference]).astype(np.float32),
    )


def test_more_pictures_help_and_the_probes_stay_the_same(evaluate_params):
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(40), 8)
    noisy = rng.normal(size=(40, 16))[subjects] + rng.normal(0, 1.4, (320, 16))
    part = table_of(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), subjects)
    found = templates(part, part, evaluate_params)
    rows = found["by_pictures"]
    assert list(rows) == ["1", "3", "5"]
    assert {row["fnmr"].trials for row in rows.values()} == {found["probes"]} == {40 * 3}
    assert rows["1"]["fnmr"].value > rows["3"]["fnmr"].value > rows["5"]["fnmr"].value
    assert rows["1"]["eer"].value > rows["5"]["eer"].value
    assert all(row["fmr"].value <= 0.01 for row in rows.values())


def test_one_picture_each_is_said(evaluate_params):
    part = table_of(np.eye(6), np.arange(6))
    assert "single picture" in templates(part, part, evaluate_params)["note"]


def test_a_draw_of_comparisons_is_said(face_table, evaluate_params):
    val = comparisons(face_table, Split.VAL)
    drawn = comparisons(face_table.slice(0, face_table.num_rows - 300), Split.TEST)
    assert "draw" in templates(val, drawn, evaluate_params)["note"]


def test_thresholds_come_from_validation(face_table, evaluate_params):
    val, test = (comparisons(face_table, split) for split in (Split.VAL, Split.TEST))
    other = templates(test, val, evaluate_params)["by_pictures"]["5"]["threshold"]
    assert templates(val, test, evaluate_params)["by_pictures"]["5"]["threshold"] != pytest.approx(other)

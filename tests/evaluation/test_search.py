import numpy as np
import pytest

from facegate.evaluation.search import identification, score_matrix
from tests.evaluation.test_enrolment import table_of


@pytest.fixture(scope="module")
def found(evaluate_params):
    def part(seed):
        rng, subjects = np.random.default_rng(seed), np.repeat(np.arange(40), 8)
        noisy = rng.normal(size=(40, 16))[subjects] + rng.normal(0, 0.7, (320, 16))
        return table_of(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), subjects)

    return identification(part(0), part(1), evaluate_params)


def test_thresholds_grow_with_the_gallery_and_say_how_they_are_known(found):
    rows = found["by_gallery_size"]
    assert [rows[size]["how"] for size in ("10", "100", "1000", "10000")] == [
        "measured",
        "independence",
        "tail",
        "tail",
    ]
    thresholds = [row["threshold"] for row in rows.values()]
    assert thresholds == sorted(thresholds)
    misses = [row["fnir"].value for row in rows.values()]
    assert misses == sorted(misses)
    assert [row["fpir"] is None for row in rows.values()] == [False, True, True, True]


def test_validation_thresholds_are_applied_to_the_test_people(found):
    assert (found["gallery"], found["how"], found["target_fpir"]) == (20, "measured", 0.05)
    assert (found["fpir"].trials, found["fnir"].trials) == (20 * 8, 20 * 7)
    assert 0 < found["fpir"].value < 0.2
    assert found["rank_1"].errors <= found["rank_5"].errors
    assert found["fnir"].errors >= found["fnir"].trials - found["rank_1"].errors


def test_a_matrix_holds_every_comparison_both_ways():
    part = table_of(np.eye(3), np.arange(3))
    part.scores[:] = [0.1, 0.2, 0.3]
    matrix = score_matrix(part)
    assert matrix is not None
    np.testing.assert_allclose(matrix, [[1, 0.1, 0.2], [0.1, 1, 0.3], [0.2, 0.3, 1]])

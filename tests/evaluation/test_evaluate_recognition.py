import json

import numpy as np
import pytest

from facegate.contracts import Split
from facegate.errors import NotMeasurableError
from facegate.evaluation import compare, recognition, tables
from facegate.evaluation.baselines import eigenfaces
from facegate.evaluation.groups import sample_groups
from facegate.metrics import verification as v
from tests.evaluation.test_enrolment import table_of


@pytest.fixture(scope="module")
def metrics(face_table, face_pack, evaluate_params):
    groups = {
        name: dict(zip(face_pack.column("sample_id"), labels, strict=True))
        for name, labels in sample_groups(face_pack).items()
    }
    about = {"dataset": "synthetic", "synthetic": True}
    return recognition.evaluate_recognition(face_table, about, groups, evaluate_params)


def test_thresholds_come_from_validation_and_rates_from_test(metrics, face_table):
    val, test = (tables.comparisons(face_table, split) for split in (Split.VAL, Split.TEST))
    point = metrics["operating_points"]["fmr_1e-2"]
    assert point["threshold"] == v.threshold_at_fmr(val.scores[~val.mated], 0.01)
    assert point["fmr"]["errors"] == (test.scores[~test.mated] >= point["threshold"]).sum()
    assert point["fnmr"]["errors"] == (test.scores[test.mated] < point["threshold"]).sum()
    assert (point["fmr"]["trials"], point["fnmr"]["trials"]) == (1620, 150)


def test_targets_finer_than_one_error_have_no_operating_point(metrics):
    assert set(metrics["operating_points"]) == {"eer", "fmr_1e-2", "fmr_1e-3"}
    assert "note" in metrics["tar_at_fmr"]["1e-4"]
    assert metrics["tar_at_fmr"]["threshold_from"] == "test"


def test_the_eer_is_that_of_the_test_comparisons(metrics, face_table):
    test = tables.comparisons(face_table, Split.TEST)
    expected = v.eer(v.error_curves(test.scores[test.mated], test.scores[~test.mated])).value
    assert metrics["eer"]["value"] == pytest.approx(expected, rel=1e-5)
    assert metrics["eer"]["low"] < expected < metrics["eer"]["high"]


def test_slices_count_every_mated_comparison_once(metrics):
    for column in ("sex", "age", "skin_tone", "pose", "glasses", "camera"):
        rates = metrics["slices"][column]["fnmr"]["rates"].values()
        assert sum(rate["trials"] for rate in rates) == 150
    assert metrics["slices"]["sex"]["demographic"] is True
    assert metrics["slices"]["camera"]["demographic"] is False
    assert "mixed" not in metrics["slices"]["sex"]["fmr"]["rates"]


def test_everything_is_json_and_synthetic_is_said(metrics):
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["synthetic"] is True


def test_identification_searches_half_of_the_people(metrics):
    found = metrics["identification"]
    assert found["gallery"] == 5
    assert found["rank_1"]["trials"] == 5 * 5
    assert found["fpir"]["trials"] == 5 * 6
    assert found["rank_1"]["value"] > 0.8


def test_a_draw_of_comparisons_cannot_be_searched(face_table, evaluate_params):
    val = tables.comparisons(face_table, Split.VAL)
    test = tables.comparisons(face_table.slice(0, face_table.num_rows - 300), Split.TEST)
    assert "draw" in recognition.identification(val, test, evaluate_params)["note"]


def test_calibrated_scores_cost_little_more_than_the_best_map(metrics):
    found = metrics["calibration"]
    assert found["min_cllr"] <= found["cllr"] < found["min_cllr"] + 0.1
    assert found["cllr"] < 0.5


def test_eigenfaces_are_measured_on_the_same_comparisons(face_table, face_pack, evaluate_params):
    found = eigenfaces(face_pack, face_table, evaluate_params)["eer"]
    assert found["trials"] == 1770
    assert 0 < found["value"] < 0.5


def test_a_model_is_no_better_than_itself(face_table, evaluate_params):
    found = compare.compare_recognition(face_table, face_table, (0.3, 0.3), evaluate_params)
    assert (found["eer"]["difference"], found["eer"]["p_value"]) == (0.0, 1.0)
    assert found["eer"]["verdict"] == "no difference shown"
    assert found["decisions_flipped"]["errors"] == 0


def test_a_worse_model_is_found_out_whatever_the_order_of_rows(face_table, evaluate_params):
    rng = np.random.default_rng(0)
    noisy = np.asarray(face_table["score"]) + rng.normal(0, 0.3, face_table.num_rows)
    worse = face_table.set_column(
        face_table.schema.get_field_index("score"), "score", [noisy.astype(np.float32)]
    )
    worse = worse.take(rng.permutation(face_table.num_rows))
    found = compare.compare_recognition(face_table, worse, (0.3, 0.3), evaluate_params)
    assert found["eer"]["verdict"] == "A is better"
    assert found["eer"]["low"] > 0
    assert found["decisions_flipped"]["value"] > 0.05
    assert (
        compare.compare_recognition(worse, face_table, (0.3, 0.3), evaluate_params)["eer"]["verdict"]
        == "B is better"
    )


def test_different_comparisons_cannot_be_compared(face_table, evaluate_params):
    with pytest.raises(compare.NotMeasurableError, match="different comparisons"):
        compare.compare_recognition(
            face_table, face_table.slice(0, face_table.num_rows - 5), (0.3, 0.3), evaluate_params
        )


def test_without_impostors_nothing_is_measured(evaluate_params):
    lone = table_of(np.eye(4), np.zeros(4, int))
    with pytest.raises(NotMeasurableError, match="at least 2"):
        recognition.operating_points(lone, "", evaluate_params)

import json

import numpy as np

from facegate.evaluation.groups import pair_groups, sample_groups
from tests.evaluation.small_sets import face_rows, written


def test_groups_cover_the_columns_that_are_filled(face_pack):
    groups = sample_groups(face_pack)
    assert set(groups) == {"sex", "age", "skin_tone", "pose", "glasses", "camera"}
    assert set(groups["sex"]) == {"female", "male"}
    assert set(groups["glasses"]) == {"glasses", "no glasses"}
    age = face_pack.column("age")
    np.testing.assert_array_equal(groups["age"] == "< 30 years", age < 30)
    assert set(groups["pose"][np.abs(face_pack.column("yaw")) < 10]) == {"< 10° yaw"}


def test_a_pair_of_two_groups_is_mixed():
    labels = np.array(["a", "b", "a"])
    assert pair_groups(labels, np.array([0, 0]), np.array([1, 2])).tolist() == ["mixed", "a"]


def test_attributes_of_the_set_are_columns(tmp_path):
    rows = list(face_rows())
    for number, row in enumerate(rows):
        row["attributes"] = json.dumps(
            {
                "Eyeglasses": number % 3 == 0,
                "environment": ("indoor", "outdoor")[number % 2],
                "photograph": number,
            }
        )
    rows[1]["attributes"] = None
    groups = sample_groups(written(tmp_path / "crops", rows))
    assert set(groups["Eyeglasses"]) == {"yes", "no", "unknown"}
    assert groups["environment"][:4].tolist() == ["indoor", "unknown", "indoor", "outdoor"]
    assert "photograph" not in groups


def test_an_attribute_that_repeats_a_column_is_left_out(tmp_path):
    rows = list(face_rows())
    for number, row in enumerate(rows):
        row["attributes"] = json.dumps({"Male": row["sex"] == "male", "Smiling": number % 3 == 0})
    groups = sample_groups(written(tmp_path / "crops", rows))
    assert "Male" not in groups
    assert {"sex", "Smiling"} <= set(groups)


def test_an_attribute_that_names_every_picture_is_no_group(tmp_path):
    rows = list(face_rows())
    for number, row in enumerate(rows):
        row["attributes"] = json.dumps({"file": f"{number}.jpg"})
    assert "file" not in sample_groups(written(tmp_path / "crops", rows))

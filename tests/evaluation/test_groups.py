import numpy as np

from facegate.evaluation.groups import pair_groups, sample_groups


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

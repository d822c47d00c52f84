import numpy as np
import pytest

from facegate.contracts import CROP_COLUMNS, Split
from facegate.datasets.pack import PackWriter, open_pack
from facegate.evaluation import acquisition as a
from facegate.evaluation.tables import comparisons
from tests.evaluation.small_sets import attack_rows
from tests.evaluation.test_enrolment import table_of


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    path = tmp_path_factory.mktemp("missed") / "crops"
    missed = [
        ["x1", "s02", "test", "print"],
        ["x2", "s05", "test", "bona_fide"],
        ["x3", "s00", "train", "print"],
    ]
    with PackWriter(path, CROP_COLUMNS, {"not_acquired": missed}) as writer:
        writer.write_all(attack_rows())
    return open_pack(path)


def test_failures_count_pictures_of_the_split_by_species(pack, evaluate_params):
    found = a.failures_to_acquire(pack, Split.TEST, evaluate_params)
    every = found["failure_to_acquire"]
    assert (every.errors, every.trials) == (2, 10 * 10 + 2)
    assert (found["bpnrr"].errors, found["bpnrr"].trials) == (1, 41)
    assert (found["apnrr"]["print"].errors, found["apnrr"]["replay_phone"].errors) == (1, 0)
    assert found["worst_apnrr_species"] == "print"


def test_a_pack_that_does_not_say_is_not_taken_for_perfect(attack_pack, face_table, evaluate_params):
    assert "not recorded" in a.failures_to_acquire(attack_pack, Split.TEST, evaluate_params)["note"]
    test = comparisons(face_table, Split.TEST)
    assert "not recorded" in a.transactions(test, None, "eer", 0.5, evaluate_params)["note"]


def test_transactions_by_hand(evaluate_params):
    # Two people, one reference (s0, s4) and three attempts each; the second of person 0 was not acquired.
    subjects = np.array([0, 0, 0, 1, 1, 1, 1])
    part = table_of(np.eye(7), subjects)
    score = {(0, 1): 0.2, (0, 2): 0.9, (3, 4): 0.8, (3, 5): 0.1, (3, 6): 0.1, (0, 5): 0.7}
    for k, pair in enumerate(zip(part.probe.tolist(), part.reference.tolist(), strict=True)):
        part.scores[k] = score.get(pair, 0.0)
    part.people[:] = ["ann", "bob"]
    missed = [("s001x", "ann", "bona_fide"), ("s9", "eve", "bona_fide")]
    found = a.transactions(part, missed, "eer", 0.5, evaluate_params)["by_attempts"]
    one, three = found["1"], found["3"]
    assert (one["frr"].errors, one["frr"].trials) == (1 + 1 + 2, 6)
    assert (one["far"].errors, one["far"].trials) == (1, 6)
    assert (three["frr"].errors, three["frr"].trials) == (0, 2)
    assert (three["far"].errors, three["far"].trials) == (1, 2)


def test_without_failures_one_attempt_is_fnmr_against_the_first_picture(face_table, evaluate_params):
    test = comparisons(face_table, Split.TEST)
    found = a.transactions(test, [], "eer", 0.5, evaluate_params)["by_attempts"]["1"]
    first = np.unique(test.subjects, return_index=True)[1]
    rows = np.isin(test.probe, first) | np.isin(test.reference, first)
    refused = test.mated & rows & (test.scores < 0.5)
    assert (found["frr"].errors, found["frr"].trials) == (refused.sum(), 10 * 5)
    assert found["far"].trials == 10 * 5 * 9

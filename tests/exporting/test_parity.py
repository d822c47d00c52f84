import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.errors import NotMeasurableError
from facegate.exporting.parity import (
    closeness,
    compare,
    flip_rate,
    pair_decisions,
    pair_scores,
    presentation_decisions,
)


def test_flips_of_a_table_made_by_hand() -> None:
    #              accepted  accepted  at the edge  rejected  rejected
    reference = [0.9, 0.6, 0.5, 0.4, 0.1]
    scores = [0.8, 0.49, 0.5, 0.51, 0.2]
    rate = flip_rate(reference, scores, 0.5)
    assert (rate.errors, rate.trials, rate.value) == (2, 5, 0.4)
    assert rate.low < 0.4 < rate.high


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50), st.floats(-1, 1))
def test_no_flip_against_itself(scores: list[float], threshold: float) -> None:
    assert flip_rate(scores, scores, threshold).errors == 0


def test_closeness_by_hand() -> None:
    reference = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    outputs = np.array([[1, 0], [0, 2], [0.8, 0.6]], np.float32)
    found = closeness(reference, outputs)
    assert found["largest"] == pytest.approx(1)
    assert found["mean"] == pytest.approx((0 + 0 + 0 + 1 + 0.2 + 0.2) / 6)
    assert found["cosine_quantiles"]["0"] == pytest.approx(0.96)
    assert found["cosine_quantiles"]["0.5"] == pytest.approx(1)


def test_pairs_are_compared_once_each() -> None:
    rows = np.eye(3, dtype=np.float32)  # as many pairs as rows
    rows[2] = rows[0]
    np.testing.assert_array_equal(pair_scores(rows), [0, 1, 0])
    decisions = pair_decisions(rows, ["a", "b", "a"], fmr=0.5)
    np.testing.assert_array_equal(decisions.genuine, [False, True, False])
    assert decisions.name == "fmr_5e-1"
    assert compare(rows, rows, decisions)["flips"]["all"]["errors"] == 0


def test_report_golden() -> None:
    angles = np.radians([0, 10, 90, 100])
    reference = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    outputs = reference.copy()
    outputs[1] = [np.cos(np.radians(60)), np.sin(np.radians(60))]
    decisions = pair_decisions(reference, ["a", "a", "b", "b"], fmr=1e-3)
    assert np.cos(np.radians(80)) < decisions.threshold <= np.cos(np.radians(10))
    report = compare(reference, outputs, decisions)
    assert report["flips"]["operating_point"] == "fmr_1e-3"
    assert {name: report["flips"][name]["trials"] for name in ("all", "genuine", "other")} == {
        "all": 6,
        "genuine": 2,
        "other": 4,
    }
    flipped = report["flips"]["other"]["errors"], report["flips"]["genuine"]["errors"]
    assert sum(flipped) == report["flips"]["all"]["errors"]
    assert flipped[0] >= 1
    assert report["cosine_quantiles"]["0"] == pytest.approx(np.cos(np.radians(50)), abs=1e-6)


def test_presentations_are_decided_by_their_last_column() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1], np.float32)
    species = ["bona_fide"] * 4 + ["print", "replay_phone"]
    reference = np.stack([1 - scores, scores], 1)
    decisions = presentation_decisions(reference, species, bpcer=0.05)
    assert decisions.threshold == pytest.approx(0.4)  # midway between 0.6, accepted, and 0.2
    outputs = reference.copy()
    outputs[4] = [0.05, 0.95]
    flips = compare(reference, outputs, decisions)["flips"]
    assert (flips["other"]["errors"], flips["genuine"]["errors"], flips["all"]["trials"]) == (1, 0, 6)


def test_one_subject_has_no_false_matches_to_measure() -> None:
    with pytest.raises(NotMeasurableError):
        pair_decisions(np.eye(3, dtype=np.float32), ["a", "a", "a"])

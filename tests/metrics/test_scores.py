import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.errors import NotMeasurableError
from facegate.metrics import scores as s

SCORES = st.lists(st.integers(-20, 20).map(lambda v: v / 8), min_size=1, max_size=40)


@pytest.mark.parametrize("bad", [[], [0.1, float("nan")], [0.1, float("inf")]])
def test_scores_without_meaning_are_refused(bad):
    with pytest.raises(NotMeasurableError, match="mated"):
        s.checked(bad, "mated")


def test_labels_must_fit_the_scores():
    with pytest.raises(NotMeasurableError, match="3 scores came with 2 labels"):
        s.split_scores([1, 2, 3], [True, False], ("a", "b"))


def test_a_missing_group_is_named():
    with pytest.raises(NotMeasurableError, match="no non-mated scores"):
        s.split_scores([1, 2], [True, True], ("mated", "non-mated"))


@pytest.mark.parametrize(("share", "allowed"), [(0.29, 29), (0.07, 7), (0.01, 1), (0.009, 0), (1.0, 100)])
def test_allowed_errors_survive_binary_fractions(share, allowed):
    assert s.allowed_errors(100, share) == allowed


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_impossible_targets_are_refused(share):
    with pytest.raises(NotMeasurableError, match="impossible"):
        s.allowed_errors(10, share)


@given(SCORES, st.floats(0, 1))
def test_accepting_threshold_keeps_its_promise_and_is_the_lowest(scores, share):
    threshold = s.threshold_accepting(scores, share, "x")
    rate = s.rate_accepted(scores, threshold, "x")
    assert rate.errors <= s.allowed_errors(len(scores), share)
    lower = [v for v in scores if v < threshold]
    if lower:
        assert s.rate_accepted(scores, max(lower), "x").errors > s.allowed_errors(len(scores), share)


@given(SCORES, st.floats(0, 1))
def test_rejecting_threshold_keeps_its_promise_and_is_the_highest(scores, share):
    threshold = s.threshold_rejecting(scores, share, "x")
    allowed = s.allowed_errors(len(scores), share)
    assert s.rate_rejected(scores, threshold, "x").errors <= allowed
    above = float(np.nextafter(threshold, np.inf))
    if threshold <= max(scores):
        assert s.rate_rejected(scores, above, "x").errors > allowed


def test_thresholds_keep_the_precision_of_float32_scores():
    scores = np.array([0.1, 0.2, 0.3], np.float32)
    threshold = s.threshold_accepting(scores, 0.34, "x")
    assert np.float32(threshold) == threshold
    assert s.rate_accepted(scores, threshold, "x").errors == 1


def test_a_nan_threshold_is_refused():
    with pytest.raises(NotMeasurableError, match="threshold is NaN"):
        s.rate_accepted([1.0], float("nan"), "x")

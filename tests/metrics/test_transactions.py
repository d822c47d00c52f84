import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.metrics import transactions as t


def test_one_attempt_formulas():
    assert t.far(0.01, 0.1) == pytest.approx(0.009)
    assert t.frr(0.05, 0.1) == pytest.approx(0.145)


def test_transactions_by_hand():
    # a: accepted at the second attempt; b: never acquired; c: impostor, refused; d: impostor, accepted.
    names = ["a", "a", "b", "c", "c", "d"]
    scores = [0.2, 0.8, np.nan, 0.1, 0.3, 0.9]
    acquired = [True, True, False, True, True, True]
    mated = [True, True, True, False, False, False]
    far, frr = t.transaction_rates(scores, acquired, names, mated, 0.5)
    assert (far.errors, far.trials) == (1, 2)
    assert (frr.errors, frr.trials) == (1, 2)


def test_single_attempts_agree_with_the_formulas():
    rng = np.random.default_rng(0)
    scores, acquired, mated = rng.random(4000), rng.random(4000) > 0.1, rng.random(4000) < 0.5
    far, frr = t.transaction_rates(scores, acquired, np.arange(4000), mated, 0.7)
    fmr = float(np.mean(scores[acquired & ~mated] >= 0.7))
    fnmr = float(np.mean(scores[acquired & mated] < 0.7))
    assert far.value == pytest.approx(t.far(fmr, float(np.mean(~acquired[~mated]))))
    assert frr.value == pytest.approx(t.frr(fnmr, float(np.mean(~acquired[mated]))))


def test_unscored_attempts_and_mixed_claims_are_refused():
    with pytest.raises(NotMeasurableError, match="NaN"):
        t.transaction_rates([np.nan], [True], ["a"], [True], 0.5)
    with pytest.raises(NotMeasurableError, match="true and false claims"):
        t.transaction_rates([0.1, 0.2], [True, True], ["a", "a"], [True, False], 0.5)


def test_fold_accuracy_uses_the_other_folds():
    # Fold 0 would like 0.5, fold 1 would like 5: each is judged at the other's threshold.
    scores, mated = [0.1, 0.9, 1.0, 9.0], [False, True, False, True]
    result = t.fold_accuracy(scores, mated, [0, 0, 1, 1])
    np.testing.assert_array_equal(result.accuracies, [0.5, 0.5])
    assert (result.mean, result.standard_error) == (0.5, 0.0)


def test_fold_accuracy_of_separable_scores():
    rng = np.random.default_rng(0)
    mated = np.arange(600) % 2 == 0
    result = t.fold_accuracy(mated + rng.random(600) * 0.5, mated, np.arange(600) // 60)
    assert result.mean > 0.99
    assert len(result.accuracies) == 10


def test_one_fold_is_refused():
    with pytest.raises(NotMeasurableError, match="one fold"):
        t.fold_accuracy([0, 1], [False, True], [0, 0])


def test_attempts_against_many_identities_are_judged_together():
    scores = [[0.9, 0.1], [0.1, 0.2], [np.nan, np.nan]]
    found = t.accepted_transactions(scores, [True, True, False], [5, 5, 7], 0.5)
    np.testing.assert_array_equal(found, [[True, False], [False, False]])

import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.metrics import bootstrap as b
from facegate.metrics.intervals import clopper_pearson


def test_one_person_cannot_be_resampled():
    with pytest.raises(NotMeasurableError, match="at least 2"):
        b.resample(["a", "a"])


def test_draws_depend_on_the_seed_alone():
    first, again = b.resample(["b", "a", "a"], 50, 3), b.resample(["a", "b"], 50, 3)
    np.testing.assert_array_equal(first.weights, again.weights)
    assert (first.weights.sum(axis=1) == 2).all()
    assert (b.resample(["a", "b"], 50, 4).weights != first.weights).any()


def test_counts_equal_a_loop_over_resamples():
    rng = np.random.default_rng(0)
    subjects = np.array([f"p{k}" for k in range(7)])
    first, second = rng.choice(subjects, 300), rng.choice(subjects, 300)
    bins = rng.integers(0, 4, 300)
    draws = b.resample(subjects, 20, 1)
    single = b.resampled_counts(draws, bins, 4, first)
    pairs = b.resampled_counts(draws, bins, 4, first, second)
    for weights, got_single, got_pairs in zip(draws.weights, single, pairs, strict=True):
        weight = dict(zip(subjects, weights, strict=True))
        one = np.array([weight[s] for s in first])
        two = one * np.where(first == second, 1, [weight[s] for s in second])
        np.testing.assert_allclose(got_single, np.bincount(bins, one, 4))
        np.testing.assert_allclose(got_pairs, np.bincount(bins, two, 4))


def test_blocks_do_not_change_the_counts(monkeypatch):
    rng = np.random.default_rng(0)
    people = np.arange(9)
    first, second, bins = rng.choice(people, 80), rng.choice(people, 80), rng.integers(0, 3, 80)
    draws = b.resample(people, 30, 1)
    whole = b.resampled_counts(draws, bins, 3, first, second)
    monkeypatch.setattr(b, "_BLOCK", 1)
    np.testing.assert_array_equal(b.resampled_counts(draws, bins, 3, first, second), whole)


def test_rates_and_means_agree():
    rng = np.random.default_rng(0)
    subjects, errors = rng.integers(0, 12, 200), rng.random(200) < 0.3
    draws = b.resample(subjects, 40, 1)
    np.testing.assert_allclose(
        b.resampled_rates(draws, errors, subjects), b.resampled_means(draws, errors, subjects)
    )


def test_rate_without_an_error_is_bounded_by_people_not_pictures():
    subjects = np.repeat(np.arange(30), 10)
    draws = b.resample(subjects, 100, 1)
    rate = b.bootstrap_rate(draws, np.zeros(300, bool), subjects)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert 0.1 < rate.high < 0.12
    assert b.bootstrap_rate(draws, np.ones(300, bool), subjects).low == pytest.approx(1 - rate.high)


def test_rate_without_a_trial_is_not_measurable():
    draws = b.resample([0, 1], 100, 1)
    rate = b.bootstrap_rate(draws, np.array([], bool), np.array([], int))
    assert rate.value is None
    assert (rate.low, rate.high) == (0.0, 1.0)


def test_resamples_that_hold_no_trial_do_not_pass_unsaid():
    with pytest.raises(NotMeasurableError, match="resamples hold a trial"):
        b.interval(np.full(10, np.nan), 5)


def test_independent_trials_are_worth_their_number():
    rng = np.random.default_rng(1)
    errors, subjects = rng.random(500) < 0.2, np.arange(500)
    rate = b.bootstrap_rate(b.resample(subjects, 2000, 1), errors, subjects)
    low, high = clopper_pearson(int(errors.sum()), 500)
    assert (rate.low, rate.high) == (
        pytest.approx(float(low), abs=0.005),
        pytest.approx(float(high), abs=0.005),
    )

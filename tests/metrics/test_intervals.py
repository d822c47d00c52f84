import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from facegate.errors import NotMeasurableError
from facegate.metrics import intervals as i


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_agrees_with_scipy(counts):
    errors, trials = counts
    low, high = i.clopper_pearson(errors, trials)
    expected = binomtest(errors, trials).proportion_ci(0.95, "exact")
    assert float(low) == pytest.approx(expected.low, abs=1e-12)
    assert float(high) == pytest.approx(expected.high, abs=1e-12)


def test_clopper_pearson_covers_at_least_its_level():
    for rate, trials in [(0.01, 100), (0.05, 60), (0.2, 40), (0.5, 300)]:
        k = np.arange(trials + 1)
        low, high = i.clopper_pearson(k, trials)
        draws = np.random.default_rng(0).binomial(trials, rate, 20_000)
        assert np.mean((low[draws] <= rate) & (rate <= high[draws])) >= 0.947


def test_no_trial_is_not_measurable_and_not_zero():
    rate = i.exact_rate(0, 0)
    assert rate.value is None
    assert (rate.low, rate.high) == (0.0, 1.0)


def test_more_errors_than_trials_are_refused():
    with pytest.raises(NotMeasurableError):
        i.exact_rate(3, 2)


def test_complement_turns_errors_into_successes():
    rate = i.complement(i.exact_rate(2, 10))
    assert (rate.value, rate.errors, rate.trials) == (0.8, 8, 10)
    assert rate.low < 0.8 < rate.high
    assert i.complement(i.exact_rate(0, 0)).value is None


@pytest.mark.parametrize(
    ("target", "trials"), [(0.2, 14), (0.07, 42), (0.03, 99), (0.01, 299), (1e-3, 2995), (1e-4, 29956)]
)
def test_trials_to_claim_a_rate_without_an_error(target, trials):
    assert i.trials_to_claim(target) == trials
    assert i.zero_error_bound(trials) <= target < i.zero_error_bound(trials - 1)


def test_zero_error_bound_is_the_rule_of_three():
    assert i.zero_error_bound(10_000) == pytest.approx(3 / 10_000, rel=0.01)
    assert i.zero_error_bound(0) == 1.0

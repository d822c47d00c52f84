import numpy as np
import pytest
from scipy.stats import binomtest

from facegate.metrics import clustered as c
from facegate.metrics.coverage import simulate
from facegate.metrics.intervals import clopper_pearson


@pytest.mark.parametrize(("errors", "trials"), [(0, 20), (1, 7), (13, 40), (40, 40), (499, 1000)])
def test_wilson_is_that_of_scipy(errors, trials):
    expected = binomtest(errors, trials).proportion_ci(0.9, "wilson")
    assert c.wilson(errors, trials, 0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "people", "correlation"),
    [(0.02, 400, 0.5), (0.03, 150, 0.9), (0.1, 150, 0.2), (0.1, 60, 0.5), (0.3, 60, 0.9), (0.3, 30, 0.0)],
)
def test_coverage_is_nominal_from_fifteen_people_in_error_on(rate, people, correlation):
    found = simulate(rate, people, correlation, draws=2000, seed=1)
    assert abs(found.covered - 0.95) <= 0.015
    assert found.above <= 0.045
    if correlation >= 0.5:
        assert found.naive < 0.8


@pytest.mark.parametrize(
    ("rate", "people", "correlation"), [(0.01, 60, 0.5), (0.03, 30, 0.2), (0.01, 150, 0.9)]
)
def test_below_that_it_is_cautious(rate, people, correlation):
    found = simulate(rate, people, correlation, draws=2000, seed=1)
    assert found.erring < 10
    assert found.covered >= 0.935


def test_without_an_error_a_person_counts_once():
    of = np.full(30, 10)
    assert c.clustered_bounds(0, 300, 0.0, (np.zeros(30, int), of)) == tuple(
        map(float, clopper_pearson(0, 30))
    )
    assert c.clustered_bounds(300, 300, 0.0, (of, of)) == tuple(map(float, clopper_pearson(30, 30)))


def test_too_little_gives_no_claim():
    assert c.clustered_bounds(0, 0, 0.0, (np.zeros(3, int), np.zeros(3, int))) == (0.0, 1.0)
    assert c.clustered_bounds(1, 4, 0.1, (np.array([1, 0]), np.array([4, 0]))) == (0.0, 1.0)


def test_people_who_all_err_alike_are_not_worth_more_than_twice_their_trials():
    wrong, of = np.full(20, 1), np.full(20, 2)
    low, high = c.clustered_bounds(20, 40, 0.0, (wrong, of))
    assert (low, high) == pytest.approx(c.wilson(40, 80), abs=0.02)


def test_the_more_people_agree_the_wider():
    of, wrong = np.full(100, 8), np.zeros(100, int)
    wrong[:20] = 8
    apart = np.zeros(100, int)
    apart[:] = 2
    apart[:60] = 1
    apart[:40] += 1
    spread = [
        c.clustered_bounds(int(w.sum()), 800, float(((w - w.mean()) ** 2).sum() / 800**2 * 100 / 99), (w, of))
        for w in (wrong, apart)
    ]
    assert spread[0][1] - spread[0][0] > 2 * (spread[1][1] - spread[1][0])


def test_a_person_is_worth_at_least_one_trial():
    # One picture of one person went wrong: little is seen of how people agree, but no less than nothing.
    wrong, of = np.eye(1, 40, dtype=int)[0], np.full(40, 8)
    variance = float(((wrong - 1 / 40) ** 2).sum() / 320**2 * 40 / 39)
    _, high = c.clustered_bounds(1, 320, variance, (wrong, of))
    assert high <= c.wilson(40 / 320, 40)[1] + 1e-12
    assert high > c.wilson(1, 320)[1]

import numpy as np
import pytest

from facegate.metrics import bootstrap, eer_interval, verification


def comparisons(people=40, pictures=6, seed=0):
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 0.5, people)
    who = np.repeat(np.arange(people), pictures)
    mated_who = np.repeat(np.arange(people), 15)
    mated = rng.normal(2, 1, mated_who.size) + mean[mated_who]
    i, j = (index.ravel() for index in np.meshgrid(who, who))
    keep = i < j
    i, j = i[keep], j[keep]
    return (mated, mated_who), (rng.normal(0, 1, i.size) + mean[i] + mean[j], i, j)


def test_resampled_eers_equal_the_eer_of_repeated_comparisons():
    mated, nonmated = comparisons(12, 4)
    draws = bootstrap.resample(np.arange(12), 25, 1)
    fast = eer_interval.resampled_eers(draws, mated, nonmated)
    for weights, got in zip(draws.weights.astype(int), fast, strict=True):
        genuine = np.repeat(mated[0], weights[mated[1]])
        impostor = np.repeat(nonmated[0], weights[nonmated[1]] * weights[nonmated[2]])
        expected = verification.eer(verification.error_curves(genuine, impostor)).value
        assert got == pytest.approx(expected, abs=4e-3)


def test_eer_rate_carries_counts_and_an_interval_around_the_value():
    mated, nonmated = comparisons()
    rate = eer_interval.eer_rate(bootstrap.resample(np.arange(40), 500, 1), mated, nonmated)
    assert rate.value is not None
    assert rate.low < rate.value < rate.high
    assert rate.trials == mated[0].size + nonmated[0].size
    assert rate.errors / rate.trials == pytest.approx(rate.value, abs=0.01)
    assert rate.method == "subject-bootstrap"


def test_an_eer_of_zero_has_an_upper_bound_from_the_people():
    mated, nonmated = ([1.0, 1.0], [0, 1]), ([0.0], [0], [1])
    rate = eer_interval.eer_rate(bootstrap.resample([0, 1], 100, 1), mated, nonmated)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high > 0.8


def test_paired_difference_sees_what_separate_intervals_do_not():
    rng = np.random.default_rng(0)
    shared = rng.normal(0.1, 0.02, 1000)
    low, high, p = eer_interval.paired_difference(shared, shared - 0.01 + rng.normal(0, 0.002, 1000), 80)
    assert low < -0.01 < high < 0
    assert p < 0.01


def test_paired_difference_of_equal_systems_is_nothing():
    same = np.random.default_rng(0).random(500)
    assert eer_interval.paired_difference(same, same, 50) == (0.0, 0.0, 1.0)


def test_a_resample_of_one_kind_has_no_eer():
    draws = bootstrap.resample([0, 1], 50, 0)
    values = eer_interval.resampled_eers(draws, ([0.9], [1]), ([0.1], [0], None))
    np.testing.assert_array_equal(np.isnan(values), (draws.weights == 0).any(axis=1))

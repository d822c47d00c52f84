"""Spearman's rho against SciPy's, and its interval against what it promises."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from facegate.errors import NotMeasurableError
from facegate.metrics.bootstrap import interval, resample
from facegate.metrics.correlation import resampled_spearman, spearman


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("slope", [-3.0, -0.3, 0.0, 0.3, 3.0])
def test_agrees_with_scipy(ties, slope):
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    y = slope * x + rng.normal(size=200)
    if ties:
        x, y = np.round(x), np.round(y)
    assert spearman(x, y) == pytest.approx(float(np.asarray(spearmanr(x, y))[0]), abs=1e-12)


def test_a_monotone_map_changes_nothing_and_the_order_of_rows_neither():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 50))
    order = rng.permutation(50)
    assert spearman(np.exp(x), y) == pytest.approx(spearman(x, y))
    assert spearman(x[order], y[order]) == pytest.approx(spearman(x, y))
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -x) == pytest.approx(-1.0)


def test_people_drawn_once_each_give_the_figure_itself():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 60))
    who = np.repeat([f"p{k}" for k in range(20)], 3)
    draws = resample(who, 300, 1)
    draws.weights[0] = 1
    assert resampled_spearman(draws, x, y, who)[0] == pytest.approx(spearman(x, y))


def test_interval_covers_a_known_correlation_of_people_with_several_pictures():
    """Half of the variance is the person's; rho of a bivariate normal is 6 / pi · asin(r / 2)."""
    rng, r, inside = np.random.default_rng(6), 0.4, 0
    truth = 6 / np.pi * np.arcsin(r / 2)
    who = np.repeat([f"p{k:02}" for k in range(60)], 4)
    for _ in range(60):
        shared, own = (rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n) for n in (60, 240))
        x, y = (np.repeat(shared, 4, axis=0) + own).T / np.sqrt(2)
        low, high = interval(resampled_spearman(resample(who, 300, 2), x, y, who), 60)
        inside += low <= truth <= high
    assert inside >= 51


@pytest.mark.parametrize(
    ("x", "message"), [([1.0, 1.0, 1.0], "vary"), ([1.0, np.nan, 2.0], "NaN"), ([], "vary")]
)
def test_what_has_no_correlation_is_an_error(x, message):
    with pytest.raises(NotMeasurableError, match=message):
        spearman(x, [1.0, 2.0, 3.0][: len(x)])


def test_a_person_alone_who_does_not_vary_gives_no_figure():
    draws = resample(["a", "b"], 50, 0)
    samples = resampled_spearman(draws, [1.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 5.0], ["a", "a", "b", "b"])
    drawn_alone = draws.weights[:, 0] == 2
    assert np.isnan(samples[drawn_alone]).all()
    assert np.isfinite(samples[~drawn_alone]).all()

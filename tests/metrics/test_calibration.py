import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from facegate.errors import NotMeasurableError
from facegate.metrics import calibration as c


def scores(seed=0, n=4000):
    """Scores whose true log-likelihood ratio is ``2 s - 2``: normals of unit width at 0 and 2."""
    rng = np.random.default_rng(seed)
    genuine = np.arange(n) % 4 == 0
    return rng.normal(2.0 * genuine, 1), genuine


def test_logistic_finds_the_true_ratio_whatever_the_prior():
    fitted = c.fit_logistic(*scores())
    assert fitted.slope == pytest.approx(2, abs=0.15)
    assert fitted.offset == pytest.approx(-2, abs=0.15)


def test_logistic_agrees_with_scikit_learn():
    values, genuine = scores(1)
    model = LogisticRegression(C=1e9, class_weight="balanced", tol=1e-10).fit(values[:, None], genuine)
    fitted = c.fit_logistic(values, genuine)
    assert fitted.slope == pytest.approx(model.coef_[0, 0], abs=1e-3)
    assert fitted.offset == pytest.approx(model.intercept_[0], abs=1e-3)


def test_logistic_survives_separable_scores():
    fitted = c.fit_logistic([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert np.isfinite(fitted([0.0, 1.0])).all()
    assert fitted(0.9) > 0 > fitted(0.1)


def test_isotonic_is_monotone_and_finite():
    values, genuine = scores(2, 400)
    llrs = c.fit_isotonic(values, genuine)(np.linspace(-9, 9, 100))
    assert np.isfinite(llrs).all()
    assert (np.diff(llrs) >= 0).all()


def test_min_cllr_agrees_with_scikit_learn():
    values, genuine = scores(3, 500)
    share = IsotonicRegression(y_min=0, y_max=1).fit_transform(values, genuine)
    odds = genuine.sum() / (~genuine).sum()
    with np.errstate(divide="ignore"):
        llrs = np.log(share / (1 - share)) - np.log(odds)
    bits = np.log2(1 + np.exp(-llrs[genuine])).mean() + np.log2(1 + np.exp(llrs[~genuine])).mean()
    assert c.min_cllr(values, genuine) == pytest.approx(bits / 2, abs=1e-12)


@pytest.mark.parametrize(
    ("llrs", "expected"),
    [([0, 0], 1.0), ([50, -50], 0.0), ([-10, 10], 10 / np.log(2)), ([np.log(3), 0], None)],
)
def test_cllr_by_hand(llrs, expected):
    value = c.cllr(llrs, [True, False])
    if expected is None:
        expected = (np.log2(4 / 3) + 1) / 2
    assert value == pytest.approx(expected, abs=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_no_map_beats_min_cllr(seed):
    values, genuine = scores(seed, 60)
    best = c.min_cllr(values, genuine)
    assert best <= c.cllr(values, genuine) + 1e-12
    assert best <= c.cllr(c.fit_logistic(values, genuine)(values), genuine) + 1e-12
    assert best == pytest.approx(c.min_cllr(np.exp(values / 5), genuine), abs=1e-9)


def test_the_map_is_chosen_on_other_people():
    values, genuine = scores(4)
    people = np.arange(values.size) // 40
    assert c.choose_map(values, genuine, people)[0] == "logistic"
    bent = np.sign(values - 1) * np.abs(values - 1) ** 0.2
    assert c.choose_map(bent, genuine, people)[0] == "isotonic"


def test_reliability_of_true_ratios_lies_on_the_diagonal():
    values, genuine = scores(5, 40_000)
    stated, seen, positives, negatives = c.reliability(2 * values - 2, genuine)
    np.testing.assert_allclose(stated, seen, atol=0.03)
    assert positives.sum() == genuine.sum()
    assert negatives.sum() == (~genuine).sum()


@pytest.mark.parametrize("fit", [c.fit_logistic, c.fit_isotonic, c.cllr, c.min_cllr])
def test_one_class_cannot_be_calibrated(fit):
    with pytest.raises(NotMeasurableError):
        fit([0.1, 0.2], [True, True])


def test_constant_scores_cannot_be_calibrated():
    with pytest.raises(NotMeasurableError, match="equal"):
        c.fit_logistic([0.5, 0.5], [True, False])

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import roc_curve

from facegate.errors import NotMeasurableError
from facegate.metrics import verification as v

GRID = st.lists(st.integers(-8, 8).map(float), min_size=1, max_size=30)

# A table made by hand: mated above, non-mated below, one tie at 0.5.
MATED = [0.9, 0.8, 0.5, 0.3]
NONMATED = [0.5, 0.4, 0.2, 0.1, 0.0]


@pytest.mark.parametrize(
    ("threshold", "false_matches", "false_non_matches"),
    [(0.0, 5, 0), (0.3, 2, 0), (0.31, 2, 1), (0.5, 1, 1), (0.51, 0, 2), (0.95, 0, 4)],
)
def test_rates_of_a_hand_made_table(threshold, false_matches, false_non_matches):
    assert v.fmr(NONMATED, threshold).errors == false_matches
    assert v.fnmr(MATED, threshold).errors == false_non_matches


def test_curves_of_a_hand_made_table():
    curves = v.error_curves(MATED, NONMATED)
    np.testing.assert_array_equal(curves.thresholds, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 0.9, np.inf])
    np.testing.assert_allclose(curves.fmr * 5, [5, 4, 3, 2, 2, 1, 0, 0, 0])
    np.testing.assert_allclose(curves.fnmr * 4, [0, 0, 0, 0, 1, 1, 2, 3, 4])


def test_eer_of_a_hand_made_table():
    # Between 0.4 (FMR 2/5, FNMR 1/4) and 0.5 (1/5, 1/4) the lines cross where FMR is 1/4.
    found = v.eer(v.error_curves(MATED, NONMATED))
    assert found.value == pytest.approx(0.25, abs=1e-12)
    assert found.threshold == pytest.approx(0.45)


@pytest.mark.parametrize("seed", range(4))
def test_curves_agree_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    mated, nonmated = rng.normal(1, 1, 300).round(2), rng.normal(0, 1, 900).round(2)
    curves = v.error_curves(mated, nonmated)
    labels = np.r_[np.ones(300), np.zeros(900)]
    fpr, tpr, thresholds = roc_curve(labels, np.r_[mated, nonmated], drop_intermediate=False)
    np.testing.assert_allclose(curves.thresholds[::-1], thresholds, atol=1e-12)
    np.testing.assert_allclose(curves.fmr[::-1], fpr, atol=1e-12)
    np.testing.assert_allclose(1 - curves.fnmr[::-1], tpr, atol=1e-12)
    crossing = brentq(lambda x: 1 - x - float(interp1d(fpr, tpr)(x)), 0, 1, xtol=1e-14)
    assert v.eer(curves).value == pytest.approx(crossing, abs=1e-12)


@pytest.mark.parametrize(("mated", "nonmated"), [([], [1.0]), ([1.0], []), ([np.nan], [0.0])])
def test_what_cannot_be_measured_is_said(mated, nonmated):
    with pytest.raises(NotMeasurableError):
        v.error_curves(mated, nonmated)


def test_constant_scores_give_chance_and_not_zero():
    assert v.eer(v.error_curves([0.5] * 9, [0.5] * 4)).value == pytest.approx(0.5)


def test_separated_scores_give_no_error_and_a_threshold_between():
    found = v.eer(v.error_curves([0.8, 0.9], [0.1, 0.2]))
    assert found.value == 0
    assert found.threshold == pytest.approx(0.5)


@given(GRID, GRID)
def test_rates_are_monotone_in_the_threshold(mated, nonmated):
    curves = v.error_curves(mated, nonmated)
    assert (np.diff(curves.fmr) <= 0).all()
    assert (np.diff(curves.fnmr) >= 0).all()
    assert (curves.fmr[0], curves.fnmr[0], curves.fmr[-1], curves.fnmr[-1]) == (1, 0, 0, 1)


@given(GRID, GRID)
def test_metrics_ignore_monotone_maps_of_the_score(mated, nonmated):
    def bend(scores):
        return np.tanh(np.asarray(scores) / 10) * 3 - 1

    straight, bent = v.error_curves(mated, nonmated), v.error_curves(bend(mated), bend(nonmated))
    np.testing.assert_array_equal(straight.fmr, bent.fmr)
    np.testing.assert_array_equal(straight.fnmr, bent.fnmr)
    assert v.eer(straight).value == v.eer(bent).value
    for target in (0.0, 0.1, 0.5):
        kept = v.fnmr(mated, v.threshold_at_fmr(nonmated, target)).errors
        assert v.fnmr(bend(mated), v.threshold_at_fmr(bend(nonmated), target)).errors == kept


@given(GRID, GRID)
def test_swapping_labels_and_sign_changes_nothing(mated, nonmated):
    swapped = v.error_curves(-np.asarray(nonmated), -np.asarray(mated))
    assert v.eer(swapped).value == pytest.approx(v.eer(v.error_curves(mated, nonmated)).value, abs=1e-12)


def test_swapping_labels_alone_is_noticed():
    assert v.eer(v.error_curves(NONMATED, MATED)).value > 0.5


def test_threshold_at_fmr_counts_ties_together():
    assert v.fmr([0.1, 0.5, 0.5, 0.5], v.threshold_at_fmr([0.1, 0.5, 0.5, 0.5], 0.5)).errors == 0


def test_tar_table_claims_only_what_the_comparisons_carry():
    rng = np.random.default_rng(0)
    rows = v.tar_table(rng.normal(3, 1, 500), rng.normal(0, 1, 5000))
    assert [row.tar is not None for row in rows] == [True, True, False, False]
    assert rows[0].fmr is not None
    assert rows[0].fmr.errors == 50
    assert "29,956 are needed" in rows[2].note
    assert "rule of 3" in rows[2].note


def test_tar_table_states_the_rule_of_three_where_no_error_was_seen():
    row = v.tar_table([1.0] * 10, [0.0] * 400, (0.01,))[0]
    assert row.tar is not None
    assert row.tar.value == 1.0
    assert "no false match seen; FMR below 0.0075" in row.note


def test_tar_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    mated, nonmated = rng.normal(2, 1, 700), rng.normal(0, 1, 4000)
    fpr, tpr, _ = roc_curve(np.r_[np.ones(700), np.zeros(4000)], np.r_[mated, nonmated])
    for row in v.tar_table(mated, nonmated, (1e-2, 1e-3)):
        assert row.tar is not None
        assert row.tar.value == pytest.approx(tpr[fpr <= row.target].max(), abs=1e-12)


def test_det_points_stay_on_the_curve():
    rng = np.random.default_rng(2)
    curves = v.error_curves(rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000))
    x, y = v.det_points(curves, 200)
    assert x.size <= 400
    assert set(zip(x, y, strict=True)) <= set(zip(curves.fmr, curves.fnmr, strict=True))
    inner = (x > 0.003) & (y > 0.003)
    # Two unit normals two apart: a straight line in normal deviates.
    np.testing.assert_allclose(norm.ppf(x[inner]) + norm.ppf(y[inner]), -2, atol=0.15)

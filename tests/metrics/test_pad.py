"""Golden vectors whose APCER and BPCER differ, so that a swap of the two cannot pass anywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.errors import NotMeasurableError
from facegate.metrics import pad, pad_legacy

# 10 bona fide (1 below 0.5), 5 prints (2 at or above 0.5), 4 replays (3 at or above 0.5).
BONA_FIDE = [0.9, 0.95, 0.8, 0.7, 0.85, 0.99, 0.6, 0.75, 0.65, 0.45]
PRINTS = [0.1, 0.2, 0.3, 0.5, 0.62]
REPLAYS = [0.55, 0.58, 0.4, 0.72]
SCORES = np.array([*BONA_FIDE, *PRINTS, *REPLAYS])
SPECIES = np.array(["bona_fide"] * 10 + ["print"] * 5 + ["replay_phone"] * 4)


def test_golden_rates_differ_and_stand_the_right_way_round():
    rates = pad.pad_rates(SCORES, SPECIES, 0.5)
    assert rates.bpcer.value == 0.1
    assert {name: rate.value for name, rate in rates.apcer.items()} == {"print": 0.4, "replay_phone": 0.75}
    assert rates.worst_species == "replay_phone"
    assert (rates.worst_apcer.errors, rates.worst_apcer.trials) == (3, 4)


def test_golden_rates_with_rows_the_other_way_round():
    rates = pad.pad_rates(SCORES[::-1], SPECIES[::-1], 0.5)
    assert (rates.bpcer.value, rates.worst_apcer.value) == (0.1, 0.75)


def test_a_swap_of_the_classes_changes_the_figures():
    swapped = np.where(SPECIES == "bona_fide", "print", "bona_fide")
    rates = pad.pad_rates(SCORES, swapped, 0.5)
    assert rates.bpcer.value == pytest.approx(4 / 9)
    assert rates.worst_apcer.value == 0.9


@given(st.floats(0, 1))
def test_swapping_classes_and_sign_swaps_the_two_rates(threshold):
    attacks, bona_fide = SCORES[10:], SCORES[:10]
    after = np.nextafter(-threshold, np.inf)
    assert pad.apcer(attacks, threshold).errors == pad.bpcer(-attacks, after).errors
    assert pad.bpcer(bona_fide, threshold).errors == pad.apcer(-bona_fide, after).errors


def test_pooling_would_hide_the_worst_species():
    pooled = pad.apcer(SCORES[10:], 0.5)
    worst = pad.pad_rates(SCORES, SPECIES, 0.5).worst_apcer
    assert pooled.value == pytest.approx(5 / 9)
    assert worst.value == 0.75


@pytest.mark.parametrize(("target", "refused"), [(0.0, 0), (0.1, 1), (0.2, 2)])
def test_threshold_at_bpcer(target, refused):
    assert pad.bpcer(SCORES[:10], pad.threshold_at_bpcer(SCORES[:10], target)).errors == refused


@pytest.mark.parametrize(("target", "refused"), [(0.25, 1), (0.05, 4), (1.0, 0)])
def test_threshold_at_apcer_holds_for_every_species(target, refused):
    threshold = pad.threshold_at_apcer(SCORES, SPECIES, target)
    rates = pad.pad_rates(SCORES, SPECIES, threshold)
    assert all(rate.value <= target for rate in rates.apcer.values() if rate.value is not None)
    assert rates.bpcer.errors == refused


def test_worst_species_prefers_the_less_certain_among_equals():
    rates = {"print": pad.apcer([0.0] * 100, 1), "makeup": pad.apcer([0.0] * 5, 1)}
    assert pad.worst_species(rates) == "makeup"


@pytest.mark.parametrize(
    ("scores", "species", "message"),
    [
        ([0.1], ["print"], "no bona_fide scores"),
        ([0.1], ["bona_fide"], "no attack scores"),
        ([0.1, np.nan], ["bona_fide", "print"], "NaN"),
    ],
)
def test_what_cannot_be_measured_is_said(scores, species, message):
    with pytest.raises(NotMeasurableError, match=message):
        pad.pad_rates(scores, species, 0.5)


def test_no_species_has_no_worst():
    with pytest.raises(NotMeasurableError):
        pad.worst_species({})


def test_silence_is_counted_apart():
    rate = pad.non_response_rate([True, True, False, True])
    assert (rate.errors, rate.trials) == (1, 4)


def test_iapar_needs_both_to_be_fooled():
    rate = pad.iapar([True, True, False, False], [True, False, True, False])
    assert (rate.errors, rate.trials) == (1, 4)
    with pytest.raises(NotMeasurableError):
        pad.iapar([True], [True, False])


def test_clips_average_their_frames():
    names, scores = pad.fuse_clips([0.2, 0.4, 0.9], ["b", "b", "a"])
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(scores, [0.9, 0.3])


def test_legacy_figures_of_the_golden_table():
    rates = pad.pad_rates(SCORES, SPECIES, 0.5)
    assert pad_legacy.acer(rates) == pytest.approx((0.75 + 0.1) / 2)
    assert pad_legacy.hter(SCORES, SPECIES, 0.5) == pytest.approx((5 / 9 + 0.1) / 2)
    assert 0 < pad_legacy.pooled_eer(SCORES, SPECIES).value < 0.5


def test_celeba_spoof_orientation():
    # One of ten live pictures may be flagged: FPR is BPCER, TPR counts caught attacks.
    row = pad_legacy.tpr_at_fpr(SCORES, SPECIES, (0.1,))[0]
    assert row.fpr.value == 0.1
    assert row.tpr.value == pytest.approx(7 / 9)
    assert row.threshold == 0.6

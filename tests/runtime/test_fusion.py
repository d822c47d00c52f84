import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.runtime.fusion import Evidence, FusionParams
from facegate.runtime.policy import Verdict

PARAMS = FusionParams(correlation=0.3, least_frames=3, attack_accepted=0.02)
INDEPENDENT = FusionParams(correlation=0.0, least_frames=1, most_frames=10_000, limit=100.0)


def gather(llrs, params=PARAMS):
    evidence = Evidence()
    for llr in llrs:
        evidence = evidence.add(llr, params)
    return evidence


def test_walds_corridor():
    assert FusionParams(attack_accepted=0.01, bona_fide_rejected=0.1).upper == pytest.approx(math.log(90))
    assert FusionParams(attack_accepted=0.01, bona_fide_rejected=0.1).lower == pytest.approx(-math.log(9.9))


def test_independent_evidence_adds_up():
    assert gather([1.0, 2.0, -0.5], INDEPENDENT).llr(INDEPENDENT) == pytest.approx(2.5)


def test_wholly_correlated_frames_are_worth_one():
    params = FusionParams(correlation=1.0)
    assert gather([1.5] * 20, params).llr(params) == pytest.approx(1.5)


def test_a_still_picture_never_becomes_certain():
    params = FusionParams(correlation=0.3, attack_accepted=0.02, most_frames=10**6)
    assert gather([1.0] * 10_000, params).llr(params) < 1 / 0.3
    assert gather([1.0] * 10_000, params).verdict(params) is None


@pytest.mark.parametrize(
    ("llrs", "verdict"),
    [
        ([3.0] * 2, None),
        ([3.0] * 3, Verdict.ACCEPT),
        ([-3.0] * 3, Verdict.REJECT),
        ([0.2, -0.2, 0.1], None),
        ([0.2, -0.2] * 15, Verdict.RETRY),
        ([], None),
    ],
)
def test_verdicts(llrs, verdict):
    assert gather(llrs).verdict(PARAMS) is verdict


@pytest.mark.parametrize(
    ("llrs", "verdict"), [([3.0] * 3, None), ([3.0] * 40, Verdict.RETRY), ([-3.0] * 3, Verdict.REJECT)]
)
def test_without_consent_nobody_is_accepted_and_time_still_runs_out(llrs, verdict):
    assert gather(llrs).verdict(PARAMS, consent=False) is verdict


def test_one_frame_never_decides():
    assert gather([1e9, 0.0, 0.0]).verdict(PARAMS) is None
    assert gather([-1e9, 2.0, 2.0]).verdict(PARAMS) is None


def test_no_number_is_no_evidence():
    assert gather([float("nan")] * 5) == Evidence()


def test_hints_from_aside_count_within_their_limit():
    evidence = Evidence().add_aside(3.0, PARAMS).add_aside(3.0, PARAMS)
    assert evidence.llr(PARAMS) == PARAMS.limit
    assert evidence.verdict(PARAMS) is None


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(0, 39), st.floats(0, 5))
def test_better_evidence_is_never_worth_less(llrs, place, more):
    better = list(llrs)
    better[place % len(llrs)] += more
    assert gather(better).llr(PARAMS) >= gather(llrs).llr(PARAMS) - 1e-9


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=20))
def test_the_order_of_frames_does_not_matter(llrs):
    assert gather(llrs).llr(PARAMS) == pytest.approx(gather(llrs[::-1]).llr(PARAMS), abs=1e-9)


@pytest.mark.parametrize(
    ("mean", "wrong", "bound"), [(-1.0, Verdict.ACCEPT, 0.02), (1.0, Verdict.REJECT, 0.05)]
)
def test_error_rates_keep_walds_promise_on_independent_frames(mean, wrong, bound):
    """Gaussian evidence with variance twice its mean is a true log-likelihood ratio."""
    rng = np.random.default_rng(8)
    errors = 0
    for llrs in rng.normal(mean, np.sqrt(2), (3000, 60)):
        evidence, verdict = Evidence(), None
        for llr in llrs:
            evidence = evidence.add(float(llr), INDEPENDENT)
            verdict = evidence.verdict(INDEPENDENT)
            if verdict is not None:
                break
        errors += verdict is wrong
    assert errors / 3000 <= bound / (1 - max(0.02, 0.05)) + 0.005

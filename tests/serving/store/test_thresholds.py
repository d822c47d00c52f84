import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.contracts import ModelContract, OperatingPoint, Rate, Split
from facegate.errors import BundleError
from facegate.serving.store import InvalidError, threshold_for

RATE = Rate(value=0.0, errors=0, trials=1, low=0.0, high=1.0)


def contract(**points: tuple[str, float | None, float]) -> ModelContract:
    """A contract with operating points (metric, target, threshold) and nothing else that matters here."""
    made = {
        name: OperatingPoint(
            threshold=threshold, metric=metric, target=target, measured=RATE, dataset="d", split=Split.VAL
        )
        for name, (metric, target, threshold) in points.items()
    }
    return ModelContract.model_construct(name="m", operating_points=made)


NORMAL = contract(
    eer=("EER", None, 0.2),
    a=("FMR", 1e-1, 0.3),
    b=("FMR", 1e-2, 0.5),
    c=("FMR", 1e-3, 0.6),
)


def test_one_template_asks_for_the_rate_itself():
    found = threshold_for(NORMAL, 1, fpir=1e-2)
    assert (found.threshold, found.how, found.fmr) == (pytest.approx(0.5), "measured", pytest.approx(1e-2))
    assert threshold_for(NORMAL, 0, fpir=1e-2).threshold == pytest.approx(0.5)


def test_a_larger_gallery_asks_for_a_lower_rate_of_one_comparison():
    found = threshold_for(NORMAL, 10, fpir=0.05)
    assert 1 - (1 - found.fmr) ** 10 == pytest.approx(0.05)
    between = 0.5 + 0.1 * (math.log(1e-2) - math.log(found.fmr)) / math.log(10)
    assert (found.threshold, found.how) == (pytest.approx(between), "measured")


def test_beyond_the_lowest_rate_the_tail_goes_on_and_is_marked():
    found = threshold_for(NORMAL, 1, fpir=1e-4)
    assert (found.threshold, found.how) == (pytest.approx(0.7), "tail")
    assert threshold_for(NORMAL, 10**9, fpir=1e-6).threshold == 1.0


def test_above_the_highest_rate_its_threshold_stays():
    assert threshold_for(NORMAL, 1, fpir=0.5).threshold == 0.3


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.floats(1e-4, 0.2))
def test_the_threshold_never_falls_as_the_gallery_grows(one, other, rate):
    small, large = sorted((one, other))
    assert (
        threshold_for(NORMAL, small, fpir=rate).threshold <= threshold_for(NORMAL, large, fpir=rate).threshold
    )


def test_exponential_tails_are_met_exactly():
    """Non-mated scores with an exponential tail: FPIR by simulation against the rate aimed at."""
    points = {f"p{e}": ("FMR", 10.0**-e, 0.1 * math.log(10) * e) for e in (1, 2, 3)}
    rng = np.random.default_rng(0)
    tops = rng.exponential(0.1, (4000, 300)).max(axis=1)
    found = threshold_for(contract(**points), 300, fpir=0.05)
    assert found.how == "tail"
    assert (tops >= found.threshold).mean() == pytest.approx(0.05, abs=0.012)


def test_a_contract_without_false_match_rates_is_refused():
    with pytest.raises(BundleError, match="no operating point of a false match rate"):
        threshold_for(contract(eer=("EER", None, 0.2)), 5)
    with pytest.raises(InvalidError, match="FPIR of 1"):
        threshold_for(NORMAL, 5, fpir=1.0)

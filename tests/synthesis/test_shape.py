from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.synthesis.shape import AVERAGE, LIMIT, ORIGINS, Traits, macro_weights, sample_local

ORIGIN_NAMES = tuple("-".join(p) for p in product(ORIGINS, ("female", "male"), ("young", "old")))
UNIVERSAL_NAMES = tuple(
    f"universal-{s}-{a}-{m}muscle-{w}weight"
    for s, a, m, w in product(
        ("female", "male"), ("young", "old"), ("min", "average", "max"), ("min", "average", "max")
    )
)
SHARE = st.floats(0, 1)
LOCAL = (
    *(f"nose-hump-{sign}" for sign in ("decr", "incr")),
    *(f"{side}-eye-scale-{sign}" for side in "lr" for sign in ("decr", "incr")),
    *(f"nose-curve-{sign}" for sign in ("concave", "convex")),
    *(f"neck-trans-{sign}" for sign in ("down", "up")),
    "head-round",
)


@given(SHARE, SHARE, SHARE, SHARE, st.tuples(*[st.floats(0.01, 1)] * 3))
def test_weights_of_either_family_sum_to_one(
    sex: float, age: float, muscle: float, weight: float, origin: tuple
):
    a, b, c = (v / sum(origin) for v in origin)
    traits = Traits((a, b, c), sex, age, muscle, weight)
    for names in (ORIGIN_NAMES, UNIVERSAL_NAMES):
        weights = macro_weights(names, traits)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-5)


def test_extremes_use_one_target():
    traits = Traits((0, 1, 0), 1, 1, 0, 1)
    assert dict(zip(ORIGIN_NAMES, macro_weights(ORIGIN_NAMES, traits), strict=True))["asian-male-old"] == 1
    weights = dict(zip(UNIVERSAL_NAMES, macro_weights(UNIVERSAL_NAMES, traits), strict=True))
    assert weights["universal-male-old-minmuscle-maxweight"] == 1


def test_average_weighs_the_origins_alike():
    weights = dict(zip(ORIGIN_NAMES, macro_weights(ORIGIN_NAMES, AVERAGE), strict=True))
    assert weights["african-male-young"] == pytest.approx(weights["asian-female-young"])
    assert weights["african-male-young"] == pytest.approx(0.5 * 0.8 / 3, abs=1e-6)


@given(st.integers(0, 2**31))
def test_local_weights_use_one_of_two_opposites_and_stay_moderate(seed: int):
    weights = dict(zip(LOCAL, sample_local(LOCAL, np.random.default_rng(seed)), strict=True))
    for stem, low, high in (("nose-hump", "decr", "incr"), ("nose-curve", "concave", "convex")):
        assert min(weights[f"{stem}-{low}"], weights[f"{stem}-{high}"]) == 0
    left = weights["l-eye-scale-incr"] - weights["l-eye-scale-decr"]
    right = weights["r-eye-scale-incr"] - weights["r-eye-scale-decr"]
    assert abs(left - right) < 0.6  # a face is nearly symmetric
    assert weights["neck-trans-down"] == weights["neck-trans-up"] == 0
    assert max(weights.values()) <= 0.42 * LIMIT + 0.3


def test_local_weights_do_not_depend_on_the_order_of_names():
    one = dict(zip(LOCAL, sample_local(LOCAL, np.random.default_rng(4)), strict=True))
    turned = LOCAL[::-1]
    assert one == dict(zip(turned, sample_local(turned, np.random.default_rng(4)), strict=True))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.evaluation.pairs import choose_pairs


@given(st.lists(st.sampled_from("abcd"), max_size=25))
def test_without_a_limit_every_pair_appears_once(subjects):
    pairs = choose_pairs(subjects)
    size = len(subjects)
    assert len(pairs.probe) == size * (size - 1) // 2
    assert len(set(map(frozenset, zip(pairs.probe.tolist(), pairs.reference.tolist(), strict=True)))) == len(
        pairs.probe
    )
    names = np.array(subjects, object)
    np.testing.assert_array_equal(names[pairs.probe] == names[pairs.reference], pairs.mated)


@pytest.mark.parametrize("limit", [1, 100, 700])
def test_a_limit_draws_from_the_non_mated_only(limit):
    subjects = np.repeat(np.arange(20), 4)
    pairs, again = choose_pairs(subjects, limit, 3), choose_pairs(subjects, limit, 3)
    assert pairs.mated.sum() == 20 * 6
    assert (~pairs.mated).sum() == limit
    assert len(set(zip(pairs.probe.tolist(), pairs.reference.tolist(), strict=True))) == pairs.probe.size
    assert (pairs.probe < pairs.reference).all()
    np.testing.assert_array_equal(pairs.probe, again.probe)
    assert (choose_pairs(subjects, limit, 4).probe != pairs.probe).any()

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.contracts import Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.splits import split_of_number, split_subjects

shares = st.builds(
    SplitParams, val=st.floats(0.01, 0.45), test=st.floats(0.01, 0.5), seed=st.integers(0, 2**31)
)


@given(shares, st.integers(1, 400))
def test_numbered_people_hold_the_shares_for_any_count(params, count):
    counts = Counter(split_of_number(i, params) for i in range(count))
    # The three-distance theorem bounds the discrepancy of golden-ratio sequences by a few points.
    assert abs(counts[Split.TEST] - params.test * count) <= 4
    assert abs(counts[Split.VAL] - params.val * count) <= 4


@given(
    shares, st.sets(st.text(min_size=1, max_size=8), min_size=30), st.sets(st.text(max_size=8), max_size=9)
)
def test_a_subject_stays_where_it_is_when_people_are_added(params, people, others):
    before = split_subjects(people, params)
    after = split_subjects(people | others, params)
    counts = Counter(before.values())
    if min(counts.get(split, 0) for split in Split) > 1:  # nobody had to be moved into an empty split
        assert {name: after[name] for name in people} == before


@given(shares, st.sets(st.text(max_size=6), min_size=6, max_size=12))
def test_no_split_is_left_empty_and_order_does_not_matter(params, people):
    splits = split_subjects(sorted(people), params, at_least=2)
    assert splits == split_subjects(sorted(people, reverse=True), params, at_least=2)
    assert all(n >= 2 for n in Counter(splits.values()).values())
    assert set(splits.values()) == set(Split)


def test_a_split_of_named_people_is_pinned():
    params = SplitParams(val=0.1, test=0.2, seed=11)
    splits = split_subjects([f"person {i}" for i in range(200)], params)
    assert Counter(splits.values()) == {Split.TRAIN: 145, Split.TEST: 45, Split.VAL: 10}


def test_too_few_people_are_refused():
    with pytest.raises(SourceError, match="2 people are too few"):
        split_subjects(["a", "b"], SplitParams())

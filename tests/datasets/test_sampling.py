from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.datasets.sampling import class_batches, endless, people_plan, species_plan
from facegate.errors import PackError


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(0, 99))
def test_classes_are_distinct_in_a_batch_and_balanced_over_all(classes, per_batch, steps, seed):
    per_batch = min(per_batch, classes)
    batches = class_batches(classes, per_batch, steps, np.random.default_rng(seed))
    assert all(len(set(batch)) == per_batch for batch in batches.tolist())
    counts = np.bincount(batches.ravel(), minlength=classes)
    assert counts.max() - counts.min() <= 1


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(2, 4), st.integers(0, 99))
def test_people_plan_draws_own_pictures_of_distinct_people(sizes, pictures, seed):
    edges = np.cumsum([0, *sizes])
    members = [np.arange(a, b) for a, b in pairwise(edges)]
    rows, labels = people_plan(members, 2, pictures, 5, np.random.default_rng(seed))
    assert rows.shape == labels.shape == (5, 2 * pictures)
    for picture, label in zip(rows.ravel(), labels.ravel(), strict=True):
        assert picture in members[label]
    for batch_rows, batch_labels in zip(rows, labels, strict=True):
        assert len(set(batch_labels.tolist())) == 2
        assert (batch_labels.reshape(2, pictures) == batch_labels[::pictures, None]).all()
        for person in batch_rows.reshape(2, pictures):
            own = len(members[batch_labels[batch_rows == person[0]][0]])
            if own % pictures == 0:
                assert len(set(person.tolist())) == pictures


@given(
    st.integers(1, 9),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(2, 12),
    st.integers(0, 99),
)
def test_species_plan_is_half_bona_fide_and_even_over_attacks(live, attacks, batch, seed):
    names = ["bona_fide"] * live + [f"kind{k}" for k, count in enumerate(attacks) for _ in range(count)]
    rows = species_plan(names, batch, 7, np.random.default_rng(seed))
    drawn = np.asarray(names)[rows]
    assert ((drawn == "bona_fide").sum(1) == batch // 2).all()
    counts = [(drawn == f"kind{k}").sum() for k in range(len(attacks))]
    assert max(counts) - min(counts) <= 1
    seen = np.bincount(rows[drawn == "bona_fide"], minlength=live)[:live]
    assert seen.max() - seen.min() <= 1


@pytest.mark.parametrize(
    ("names", "lacking"),
    [(["print", "mask_rigid"], "bona fide"), (["bona_fide"] * 3, "attacks"), ([], "bona fide")],
)
def test_missing_class_is_named(names, lacking):
    with pytest.raises(PackError, match=lacking):
        species_plan(names, 4, 1, np.random.default_rng(0))


def test_endless_repeats_only_after_all():
    stream = endless(np.array([3, 5, 9]), np.random.default_rng(0))
    drawn = [next(stream) for _ in range(9)]
    assert [sorted(drawn[k : k + 3]) for k in (0, 3, 6)] == [[3, 5, 9]] * 3

import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.metrics import identification as i

GALLERY = ["ann", "bob", "cyd"]
# Two probes of Ann (one found, one second behind Bob), one of Bob (too low), two strangers.
SCORES = np.array([[0.9, 0.2, 0.1], [0.5, 0.6, 0.1], [0.1, 0.3, 0.2], [0.4, 0.1, 0.7], [0.2, 0.3, 0.1]])
PROBES = ["ann", "ann", "bob", "dan", "eve"]


def test_search_by_hand():
    found = i.search(SCORES, PROBES, GALLERY)
    np.testing.assert_array_equal(found.mate_scores, [0.9, 0.5, 0.3])
    np.testing.assert_array_equal(found.mate_ranks, [1, 2, 1])
    np.testing.assert_array_equal(found.top_scores, [0.7, 0.3])


def test_the_order_of_the_gallery_does_not_matter():
    turned = i.search(SCORES[:, ::-1], PROBES, GALLERY[::-1])
    np.testing.assert_array_equal(turned.mate_ranks, [1, 2, 1])


def test_rates_by_hand():
    found = i.search(SCORES, PROBES, GALLERY)
    assert i.rank_rate(found).errors == 2
    assert i.rank_rate(found, 2).errors == 3
    assert i.fpir(found, 0.5).value == 0.5
    assert (i.fnir(found, 0.4).errors, i.fnir(found, 0.4, rank=2).errors) == (2, 1)


def test_ties_count_against_the_mate():
    assert i.search([[0.5, 0.5]], ["ann"], ["ann", "bob"]).mate_ranks.tolist() == [2]


def test_enrolling_a_subject_twice_is_refused():
    with pytest.raises(NotMeasurableError, match="enrolled twice"):
        i.search([[0.5, 0.5]], ["ann"], ["ann", "ann"])


def test_without_strangers_fpir_is_not_measurable():
    found = i.search([[0.9, 0.1]], ["ann"], ["ann", "bob"])
    with pytest.raises(NotMeasurableError, match="non-mated search"):
        i.fpir(found, 0.5)


def test_templates_average_unit_embeddings():
    templates, names = i.fuse_templates(np.array([[2.0, 0], [0, 5.0], [0, -1.0]]), ["b", "b", "a"])
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(templates, [[0, -1], [0.5**0.5, 0.5**0.5]])


def test_thresholds_grow_with_the_gallery_and_say_how_they_came_about():
    scores = np.random.default_rng(0).normal(size=(300, 200))
    rows = i.gallery_thresholds(scores, (1, 10, 100, 500, 1_000_000), target=0.01)
    assert [row.how for row in rows] == ["measured", "measured", "measured", "independence", "tail"]
    thresholds = [row.threshold for row in rows]
    assert thresholds == sorted(thresholds)
    assert all(row.fpir is not None and row.fpir.trials == 300 for row in rows[:3])
    assert all(row.fpir is None for row in rows[3:])


def test_independence_agrees_with_what_is_measured():
    scores = np.random.default_rng(1).normal(size=(2000, 100))
    measured = i.gallery_thresholds(scores, (100,), target=0.05)[0]
    narrow = i.gallery_thresholds(scores[:, :50], (100,), target=0.05)[0]
    assert (measured.how, narrow.how) == ("measured", "independence")
    assert narrow.threshold == pytest.approx(measured.threshold, abs=0.15)


def test_a_tail_needs_scores():
    with pytest.raises(NotMeasurableError, match="too few to fit a tail"):
        i.gallery_thresholds(np.zeros((5, 5)), (1000,))

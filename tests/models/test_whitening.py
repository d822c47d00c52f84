"""Embeddings in which what pictures of one person differ in is evened out."""

import numpy as np
import pytest

from facegate.models.recognition.whitening import whitening, within_people


def people_seen(rng, count=200, pictures=4):
    """Two axes of ten tell people apart, two others are what light does to their pictures."""
    who = np.repeat(np.arange(count), pictures)
    seen = rng.normal(0, 0.1, (len(who), 10))
    seen[:, :2] += rng.normal(0, 1, (count, 2))[who]
    seen[:, 2:4] += rng.normal(0, 1, (len(who), 2))
    return seen, who


def test_covariance_within_people_is_that_of_a_hand_made_table():
    """Two people whose two pictures lie 2 apart along one axis each: a half of 1 each way."""
    seen = np.array([[0.0, 5], [2, 5], [9, 0], [9, 2]])
    np.testing.assert_allclose(within_people(seen, np.array([0, 0, 1, 1])), [[0.5, 0], [0, 0.5]])


def test_the_whole_of_it_makes_every_direction_alike():
    seen, who = people_seen(np.random.default_rng(2))
    matrix = whitening(within_people(seen, who), 1.0)
    within = within_people(seen @ matrix, who)
    np.testing.assert_allclose(within / within[0, 0], np.eye(10), atol=1e-9)


def test_none_of_it_leaves_all_as_it_is():
    seen, who = people_seen(np.random.default_rng(2))
    np.testing.assert_allclose(whitening(within_people(seen, who), 0.0), np.eye(10), atol=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_people_stand_further_apart_than_their_pictures(share):
    seen, who = people_seen(np.random.default_rng(2))
    moved = seen @ whitening(within_people(seen, who), share)

    def apart(points):
        within = within_people(points, who)
        return np.trace(np.cov(points.T)) / np.trace(within)

    assert apart(moved) > 1.2 * apart(seen)

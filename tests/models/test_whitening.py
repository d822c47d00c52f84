"""Embeddings in which what pictures of one person differ in is evened out."""

import numpy as np
import pytest

from facegate.models.recognition.whitening import nuisance, whitening, within


def people_seen(rng, count=200, pictures=4):
    """Two axes of ten tell people apart, two others are what light does to their pictures."""
    who = np.repeat(np.arange(count), pictures)
    seen = rng.normal(0, 0.1, (len(who), 10))
    seen[:, :2] += rng.normal(0, 1, (count, 2))[who]
    seen[:, 2:4] += rng.normal(0, 1, (len(who), 2))
    return seen, who


def test_covariance_within_is_that_of_a_hand_made_table():
    """Two people whose two pictures lie 2 apart along one axis each: a half of 1 each way."""
    seen = np.array([[0.0, 5], [2, 5], [9, 0], [9, 2]])
    np.testing.assert_allclose(within(seen, np.array([0, 0, 1, 1])), [[0.5, 0], [0, 0.5]])


def test_the_whole_of_it_makes_every_direction_alike():
    seen, who = people_seen(np.random.default_rng(2))
    matrix = whitening(within(seen, who), 1.0)
    evened = within(seen @ matrix, who)
    np.testing.assert_allclose(evened / evened[0, 0], np.eye(10), atol=1e-9)


def test_none_of_it_leaves_all_as_it_is():
    seen, who = people_seen(np.random.default_rng(2))
    np.testing.assert_allclose(whitening(within(seen, who), 0.0), np.eye(10), atol=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_people_stand_further_apart_than_their_pictures(share):
    seen, who = people_seen(np.random.default_rng(2))
    moved = seen @ whitening(within(seen, who), share)

    def apart(points):
        return np.trace(np.cov(points.T)) / np.trace(within(points, who))

    assert apart(moved) > 1.2 * apart(seen)


def test_what_cameras_do_weighs_more_than_what_rendering_does():
    rng = np.random.default_rng(4)
    who = np.repeat(np.arange(300), 4)
    people = rng.normal(0, 1, (300, 3))[who] * [1, 0, 0]
    seen = people + rng.normal(0, 2, people.shape) * [0, 1, 0]
    spoilt = seen + rng.normal(0, 5, people.shape) * [0, 0, 1]
    np.testing.assert_allclose(nuisance(seen, spoilt, who), np.diag([0, 0.3, 0.7]), atol=1e-9)

"""Events found and missed, against cases counted by hand."""

import numpy as np
import pytest

from facegate.metrics.bootstrap import resample
from facegate.metrics.events import Matches, f1, f1_interval, match_events


@pytest.mark.parametrize(
    ("true", "found", "unsure", "expected"),
    [
        ([(1, 2)], [(1.5, 1.8)], [], Matches(1, 0, 0)),
        ([(1, 2)], [(3, 4)], [], Matches(0, 1, 1)),
        ([(1, 2)], [(1, 1.2), (1.6, 2)], [], Matches(1, 1, 0)),  # one event found twice
        ([(1, 2), (3, 4)], [(1, 4)], [], Matches(1, 0, 1)),  # two taken for one
        ([], [(1, 2)], [(0.5, 1.5)], Matches(0, 0, 0)),
        ([(1, 2)], [(2.05, 2.2)], [], Matches(1, 0, 0)),  # within the slack
        ([], [], [], Matches(0, 0, 0)),
    ],
)
def test_matches(true, found, unsure, expected):
    assert match_events(true, found, unsure, slack=0.1) == expected


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    precision, recall = 8 / 10, 8 / 16
    assert f1(8, 2, 8) == pytest.approx(2 * precision * recall / (precision + recall))
    assert np.isnan(f1(0, 0, 0))


def test_the_interval_widens_with_the_spread_between_people():
    people = [f"p{i}" for i in range(20)]
    draws = resample(people, 500, 1)
    same = f1_interval(draws, [Matches(9, 1, 1)] * 20, people)
    apart = f1_interval(draws, [Matches(10, 0, 0)] * 18 + [Matches(0, 10, 10)] * 2, people)
    assert same == pytest.approx((0.9, 0.9))
    assert apart[0] < 0.85 < 0.9 < apart[1] <= 1

import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.evaluation.eye_blinks import CLOSE, OPENED, choose_thresholds, true_blinks
from facegate.evaluation.eye_scores import Eyes
from facegate.faces.blink import BlinkParams

FPS = 10.0


@pytest.mark.parametrize(
    ("closure", "whole", "unsure"),
    [
        ([0, 0.6, 1, 0.6, 0], [(1, 3)], []),
        ([0, 1, 0.4, 0.4, 1, 0], [(1, 4)], []),  # lids that rise a little have not opened
        ([0, 1, 0.1, 1, 0], [(1, 1), (3, 3)], []),
        ([1, 1, 0, 0], [], [(0, 1)]),  # its beginning was not seen
        ([0, 0, 1, 0.4], [], [(2, 2)]),  # nor this one's end
        ([0, 0.6, 0], [], [(1, 1)]),  # half closed is neither
        ([0, 0.4, 0], [], []),
        ([], [], []),
    ],
)
def test_a_blink_lies_between_two_frames_with_open_eyes(closure, whole, unsure):
    def seconds(frames):
        return [(pytest.approx(first / FPS), pytest.approx(last / FPS)) for first, last in frames]

    found = true_blinks(np.arange(len(closure)) / FPS, np.array(closure, float))
    assert found == (seconds(whole), seconds(unsure))


def clips(*scored):
    """Eyes of clips, each given by its closures and scores."""
    closure, scores = (np.concatenate([np.array(part[k], np.float32) for part in scored]) for k in (0, 1))
    names = np.concatenate([[f"clip-{n}"] * len(part[0]) for n, part in enumerate(scored)])
    times = np.concatenate([np.arange(len(part[0]), dtype=np.float32) / FPS for part in scored])
    return Eyes(names, names, scores, scores, closure, names, times, names)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.05])
def test_thresholds_lie_on_both_sides_of_a_trembling_score_whatever_its_scale(scale):
    blink, level = [0, 0, 1, 1, 1, 0, 0], max(0.9 * scale, BlinkParams().least_level)
    limits, found = choose_thresholds(clips((blink, scale * np.array([0.9, 0.9, 0.1, 0.42, 0.1, 0.9, 0.9]))))
    assert (found.hits, found.false, found.missed) == (2, 0, 0)  # clean and hard
    assert limits.close < 0.42 * scale / level < limits.open
    shut, way = 0.1 * scale / level, 0.8 * scale / level
    assert limits.close == pytest.approx(shut + CLOSE * way, abs=0.01)
    assert limits.open == pytest.approx(shut + OPENED * way, abs=0.01)
    assert limits.open - limits.close >= 0.2 * way


def test_the_thresholds_of_wide_eyes_find_the_blink_of_narrow_ones():
    blink, wide = [0, 0, 1, 1, 0, 0], np.array([0.95, 0.95, 0.05, 0.05, 0.95, 0.95])
    narrow = 0.4 * wide
    _, found = choose_thresholds(clips((blink, wide), (blink, wide), (blink, narrow)))
    assert (found.hits, found.false, found.missed) == (6, 0, 0)


def test_no_blink_is_told():
    with pytest.raises(NotMeasurableError, match="no validation clip holds a blink"):
        choose_thresholds(clips(([0, 0, 0], [0.9, 0.9, 0.9])))

"""The blink state machine: two thresholds, any frame rate, nothing made up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces.blink import Blink, BlinkParams, EyeState, find_blinks, watch

PARAMS = BlinkParams(close=0.4, open=0.6)


def frames(scores, fps=15.0):
    return [(k / fps, score) for k, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ([0.9, 0.9, 0.1, 0.1, 0.9], 1),
        ([0.9, 0.1, 0.9, 0.1, 0.9], 2),
        ([0.9, 0.45, 0.55, 0.45, 0.9], 0),  # trembles between the thresholds
        ([0.9, 0.1, 0.5, 0.1, 0.9], 1),  # half open is not open yet
        ([0.1, 0.1, 0.9, 0.9], 0),  # the closing was before the clip
        ([0.9, 0.9, 0.1, 0.1], 0),  # the opening is after it
        ([0.9] + 14 * [0.1] + [0.9], 0),  # eyes shut for nearly a second
        ([0.9, math.nan, 0.1, math.nan, 0.9], 1),
        ([], 0),
    ],
)
def test_counts_blinks(scores, count):
    assert len(find_blinks(frames(scores), PARAMS)) == count


def test_times_of_crossing_are_interpolated():
    (blink,) = find_blinks([(0.0, 1.0), (0.1, 0.0), (0.2, 0.0), (0.3, 1.0)], PARAMS)
    assert blink == pytest.approx(Blink(0.06, 0.26))


def test_a_gap_in_the_stream_hides_what_was_in_it():
    assert find_blinks([(0.0, 0.9), (0.1, 0.1), (0.9, 0.9)], PARAMS) == []
    assert find_blinks([(0.0, 0.9), (0.9, 0.1), (1.0, 0.9)], PARAMS) == []


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ([0.45, 0.45, 0.1, 0.1, 0.45], 1),  # never above the upper threshold itself
        ([0.09, 0.09, 0.02, 0.02, 0.09], 0),  # nobody's eyes are open at a tenth
        ([0.45, 0.45, 0.3, 0.45], 0),  # two thirds of the way are no closed eye
    ],
)
def test_scores_are_held_against_how_open_these_eyes_get(scores, count):
    assert len(find_blinks(frames(scores), PARAMS)) == count


def test_how_open_eyes_get_is_forgotten_slowly():
    seen = [(0.0, 1.0), (0.4, 0.5), (0.8, 0.5), (60.0, 0.5)]
    levels = [state.level for state, _ in watch(seen, PARAMS)]
    assert levels == pytest.approx([1.0, math.exp(-0.04), math.exp(-0.08), 0.5])
    (_, (state, _)) = watch([(0.0, 1.0), (60.0, 0.1)], PARAMS)
    assert state.level == PARAMS.least_level


def test_time_must_advance():
    state, _ = EyeState().step(0.9, 1.0, PARAMS)
    with pytest.raises(ValueError, match="time must advance"):
        state.step(0.9, 1.0, PARAMS)


def test_thresholds_around_a_point_stay_inside_0_to_1():
    for point in (0.0, 0.05, 0.5, 0.97, 1.0):
        params = BlinkParams.around(point)
        assert 0 < params.close < params.open < 1
    with pytest.raises(ValueError, match="must not lie above"):
        BlinkParams(close=0.6, open=0.4)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=60), st.floats(5, 60))
def test_blinks_lie_in_order_inside_the_clip_and_within_their_limits(scores, fps):
    found = find_blinks(frames(scores, fps), PARAMS)
    times = [t for blink in found for t in blink]
    assert times == sorted(times)
    assert all(0 <= t <= len(scores) / fps for t in times)
    assert all(PARAMS.shortest_s <= b.end_s - b.start_s <= PARAMS.longest_s for b in found)


@settings(deadline=None)
@given(st.floats(9, 60), st.floats(0, 0.09), st.floats(0.8, 1.4))
def test_one_blink_is_one_blink_at_any_rate(fps, phase, pace):
    times = np.arange(phase, 2, 1 / fps)
    late = times - 1.0
    openness = 1 - np.exp(-((late / (np.where(late < 0, 0.075, 0.14) * pace)) ** 2))
    found = find_blinks(zip(times.tolist(), openness.tolist(), strict=True), PARAMS)
    assert len(found) == 1
    assert found[0].start_s - 1 / fps <= 1.0 <= found[0].end_s + 1 / fps


def test_the_state_counts_and_can_be_resumed_at_any_frame():
    scores = [0.9, 0.2, 0.2, 0.9, 0.9, 0.1, 0.8]
    state = EyeState()
    for now, score in frames(scores):
        state, _ = state.step(score, now, PARAMS)
    assert state.blinks == len(find_blinks(frames(scores), PARAMS)) == 2
    assert state.open is True

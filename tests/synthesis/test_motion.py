import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.synthesis.motion import Times, blinks, talking, wander

SECOND = Times(16, 15.0)


def test_times_start_at_zero():
    np.testing.assert_allclose(Times(4, 8.0).seconds, [0, 0.125, 0.25, 0.375])


def test_wandering_has_the_spread_it_is_asked_for_and_moves_smoothly():
    tracks = np.stack([wander(np.random.default_rng(seed), Times(64, 15.0), 2.0) for seed in range(300)])
    assert tracks.mean() == pytest.approx(0, abs=0.15)
    assert 1.5 < tracks.std() < 2.1
    assert np.abs(np.diff(tracks)).mean() < 0.4 * tracks.std()


def test_the_walk_lives_in_seconds_and_not_in_frames():
    """The walk lives in seconds: at 7.5 fps a step is larger than at 15 fps."""

    def step(fps: float) -> float:
        tracks = [wander(np.random.default_rng(seed), Times(40, fps), 1.0) for seed in range(200)]
        return float(np.abs(np.diff(tracks)).mean())

    assert 1.2 < step(7.5) / step(15.0) < 2.5


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 40), st.floats(5, 60))
def test_closure_stays_between_open_and_closed(seed: int, frames: int, fps: float):
    closure = blinks(np.random.default_rng(seed), Times(frames, fps), odds=1.0)
    assert closure.shape == (frames,)
    assert closure.min() >= 0
    assert closure.max() <= 1


def test_blinks_come_as_often_as_asked():
    seen = [blinks(np.random.default_rng(seed), SECOND).max() > 0.3 for seed in range(400)]
    assert np.mean(seen) == pytest.approx(0.6, abs=0.08)
    assert not blinks(np.random.default_rng(0), SECOND, odds=0.0).any()


def test_lids_close_faster_than_they_open():
    times = Times(600, 300.0)
    rise, fall = [], []
    for seed in range(60):
        closure = blinks(np.random.default_rng(seed), times, odds=1.0)
        above = np.flatnonzero(closure > 0.5)
        peak = int(closure.argmax())
        if 120 < peak < 480 and np.all(np.diff(above) == 1):
            rise.append(peak - above[0])
            fall.append(above[-1] - peak)
    assert len(rise) > 10
    assert np.mean(fall) / np.mean(rise) == pytest.approx(0.14 / 0.075, rel=0.1)


def test_jaws_only_open():
    tracks = np.stack([talking(np.random.default_rng(seed), SECOND) for seed in range(100)])
    assert tracks.min() == 0
    assert 0.1 < (tracks.max(axis=1) > 0).mean() < 0.6

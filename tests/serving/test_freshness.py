"""Which frames of a stream are evidence."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.serving.freshness import AHEAD_S, BEHIND_S, Frame, Freshness, parse
from tests.serving.test_limits import Clock


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e11, max_value=1e11), st.binary(min_size=1)
)
def test_a_message_is_taken_apart(at, data):
    assert parse(struct.pack(">d", at) + data) == Frame(at, data)


@pytest.mark.parametrize("message", [b"", b"1234567", bytes(8), struct.pack(">d", float("nan")) + b"x",
                                     struct.pack(">d", float("inf")) + b"x", struct.pack(">d", 1e300) + b"x"])  # fmt: skip
def test_no_frame(message):
    assert parse(message) is None


def judge(clock, freshness, times):
    """Status of frames given as (their time, our time)."""
    found = []
    for at, now in times:
        clock.now = now
        found.append(freshness.judge(Frame(at, str(now).encode())))
    return found


def test_time_grows_and_runs_no_faster_than_ours():
    clock = Clock()
    freshness = Freshness(10, clock)
    times = [(5.0, 100.0), (5.0, 100.1), (4.0, 100.2), (5.1, 100.3), (5.2 + AHEAD_S + 1, 100.4), (5.2, 100.5)]
    assert judge(clock, freshness, times) == ["seen", "late", "late", "seen", "late", "seen"]
    assert freshness.suspicions == 3


def test_old_frames_are_skipped_and_a_pause_is_no_crime():
    clock = Clock()
    freshness = Freshness(10, clock)
    times = [(0.0, 100.0), (0.1, 101.0 + BEHIND_S), (0.2, 101.1 + BEHIND_S)]
    assert judge(clock, freshness, times) == ["seen", "dropped", "seen"] and freshness.suspicions == 0


def test_more_frames_than_agreed_are_dropped():
    clock = Clock()
    freshness = Freshness(2, clock)
    assert judge(clock, freshness, [(i / 100, 100.0 + i / 100) for i in range(5)]).count("seen") == 2
    assert judge(clock, freshness, [(1.0, 101.0)]) == ["seen"]


def test_the_very_same_bytes_are_no_new_evidence():
    clock = Clock()
    freshness = Freshness(100, clock)
    frames = [Frame(i / 10, data) for i, data in enumerate([b"a", b"b", b"a", b"a", b"c", b"b"])]
    found = []
    for frame in frames:
        clock.now += 0.1
        found.append(freshness.judge(frame))
    assert found == ["seen", "seen", "repeated", "repeated", "seen", "repeated"]
    assert freshness.still == 1 and freshness.suspicions == 3

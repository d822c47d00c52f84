"""Slots, rooms, buckets and lock-out, with a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.serving import limits
from facegate.serving.limits import Buckets, Lockout, Room, Slots, refuse_for
from facegate.serving.problems import ProblemError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_the_rate():
    clock = Clock()
    buckets = Buckets(rate=2, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0, "every name has its own"
    clock.now += 0.5
    assert buckets.take("a") == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0.5, 20), st.integers(1, 10))
def test_never_more_than_burst_and_rate_allow(gaps, rate, burst):
    clock = Clock()
    buckets, taken = Buckets(rate, burst, clock), 0
    for gap in gaps:
        clock.now += gap
        taken += buckets.take("a") == 0
    assert taken <= burst + rate * sum(gaps) + 1e-6


def test_the_oldest_name_is_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "MOST_KNOWN", 2)
    buckets = Buckets(rate=1e-9, burst=1, clock=Clock())
    assert [buckets.take(name) for name in "abc"] == [0, 0, 0]
    assert buckets.take("a") == 0 and buckets.take("c") > 0


def test_locked_out_after_enough_failures_and_only_for_a_while():
    clock = Clock()
    lockout = Lockout(failures=2, seconds=10, clock=clock)
    lockout.failed("1.2.3.4")
    assert lockout.left("1.2.3.4") == 0
    lockout.failed("1.2.3.4")
    assert lockout.left("1.2.3.4") == 10 and lockout.left("5.6.7.8") == 0
    clock.now += 11
    assert lockout.left("1.2.3.4") == 0
    lockout.failed("1.2.3.4")
    assert lockout.left("1.2.3.4") == 0, "old failures are forgotten"


def test_a_full_room_says_when_to_come_again():
    room = Room(1)
    with room.enter():
        with pytest.raises(ProblemError) as refused, room.enter():
            pass
        assert refused.value.status == 503 and refused.value.headers == {"Retry-After": "1"}
    with room.enter():
        assert room.inside == 1
    assert room.inside == 0


def test_slots_are_given_back():
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.one():
        raise ZeroDivisionError
    with slots.one():
        with pytest.raises(ProblemError) as refused, slots.one(wait_s=0.01):
            pass
        assert refused.value.status == 503


def test_waits_are_whole_seconds():
    assert refuse_for(0.01, "no").headers == {"Retry-After": "1"}
    assert refuse_for(7.2, "no").headers == {"Retry-After": "8"}

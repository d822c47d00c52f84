import os

import psutil
import pytest

from facegate.benchmark.service_rates import _bound, _shares, rate
from facegate.benchmark.service_server import Server


def test_rounds_of_both_alternate_and_the_share_is_one_of_the_other():
    calls = []
    found = _shares(
        lambda n: calls.append("asked"), lambda n: calls.append("alone"), 1, rounds=3, seconds=0.01
    )
    assert found["rounds"] == 3
    order = [call for call, before in zip(calls, [None, *calls], strict=False) if call != before]
    assert order[0] == "alone"
    assert {"asked", "alone"} == set(order)
    low, high = found["share_low_high"]
    assert low <= found["share"] <= high


def test_a_thread_that_begins_too_late_is_counted_all_the_same():
    calls = []
    assert rate(calls.append, 2, seconds=-1) > 0
    assert sorted(calls) == [0, 1]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_service_is_bound_to_a_core_and_let_go_again():
    before = os.sched_getaffinity(0)
    core = min(before)
    here = Server(port=0, key="", process=psutil.Process())
    with _bound(here, {core}):
        assert os.sched_getaffinity(os.getpid()) == {core}
    assert os.sched_getaffinity(os.getpid()) == before

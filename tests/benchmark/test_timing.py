from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.benchmark.timing import Latency, interleave, speedup


class FakeMachine:
    """A clock that only its calls move; remembers who ran when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def clock(self) -> float:
        return self.now

    def call(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.log.append(name)
            self.now += seconds

        return run


def test_every_round_runs_every_variant_once() -> None:
    machine = FakeMachine()
    calls = {name: machine.call(name, cost) for name, cost in (("a", 0.002), ("b", 0.001), ("c", 0.003))}
    times = interleave(calls, runs=50, warmup=5, clock=machine.clock)
    rounds = [machine.log[i : i + 3] for i in range(0, len(machine.log), 3)]
    assert len(rounds) == 55
    assert all(sorted(r) == ["a", "b", "c"] for r in rounds)
    assert len({tuple(r) for r in rounds}) == 6
    for name, cost in (("a", 0.002), ("b", 0.001), ("c", 0.003)):
        np.testing.assert_allclose(times[name], np.full(50, cost))


def test_warm_up_does_not_count() -> None:
    machine = FakeMachine()
    costs = iter([9.0, 9.0, *[0.5] * 20])

    def call() -> None:
        machine.now += next(costs)

    assert interleave({"x": call}, 20, 2, clock=machine.clock)["x"].max() == 0.5


@pytest.mark.parametrize(("cost", "rounds"), [(0.01, 60), (0.1, 60), (0.11, 55), (1.0, 50)])
def test_no_round_begins_when_the_time_is_over_but_fifty_are_run(cost: float, rounds: int) -> None:
    machine = FakeMachine()
    times = interleave({"x": machine.call("x", cost)}, 60, 0, seconds=6.0, clock=machine.clock)
    assert len(times["x"]) == rounds
    np.testing.assert_allclose(times["x"], cost)


def test_summary_by_hand() -> None:
    latency = Latency.of(np.arange(1, 102) / 1000)
    assert (latency.runs, latency.least, latency.median) == (101, 1.0, 51.0)
    assert (latency.p95, latency.p99, latency.iqr) == pytest.approx((96, 100, 50))


def test_speedup_of_paired_rounds_ignores_common_drift() -> None:
    drift = np.linspace(1, 3, 200)
    found = speedup(2.0 * drift, 1.0 * drift)
    assert found["value"] == found["low"] == found["high"] == 2.0
    assert found["rounds"] == 200


@given(st.integers(0, 1000))
def test_interval_contains_the_ratio_of_medians(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = speedup(rng.lognormal(0.7, 0.2, 80), rng.lognormal(0, 0.2, 80), resamples=200)
    assert found["low"] <= found["value"] <= found["high"]

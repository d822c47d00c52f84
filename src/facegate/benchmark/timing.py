"""Times that can be compared: variants take turns, so that whatever else the machine does hits all alike.

Each round calls every variant once, in an order drawn anew: a variant that always followed the largest one
would always find the caches cold. Ratios are taken between medians of the same rounds, with an interval.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

Clock = Callable[[], float]
Seconds = NDArray[np.float64]
LEAST_ROUNDS = 50
"""Rounds that are measured however long they take."""


@dataclass(frozen=True)
class Latency:
    """Distribution of one variant's times, milliseconds.

    Attributes:
        runs: how many times stand behind it; p99 needs some hundreds.
        least: the shortest.
        median: half are shorter.
        p95: one in twenty is longer.
        p99: one in a hundred is longer.
        iqr: distance between the quartiles.
    """

    runs: int
    least: float
    median: float
    p95: float
    p99: float
    iqr: float

    @classmethod
    def of(cls, times: Seconds) -> "Latency":
        """Summary of times in seconds."""
        low, q1, median, q3, p95, p99 = np.quantile(times * 1e3, [0, 0.25, 0.5, 0.75, 0.95, 0.99]).tolist()
        return cls(len(times), low, median, p95, p99, q3 - q1)

    def rounded(self) -> dict[str, Any]:
        """As a report shows it: microseconds are the last digit that means anything."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def interleave(
    calls: Mapping[str, Callable[[], object]],
    runs: int,
    warmup: int,
    *,
    seconds: float = math.inf,
    seed: int = 0,
    clock: Clock = time.perf_counter,
    label: str = "",
) -> dict[str, Seconds]:
    """Time several calls in turns.

    Args:
        calls: what to time, by name.
        runs: rounds that count, at most.
        warmup: rounds before them that do not.
        seconds: after these no new round begins, if :data:`LEAST_ROUNDS` are done.
        seed: of the order within each round.
        clock: seconds, monotonic.
        label: of the progress bar.

    Returns:
        Seconds of each call by round, shape (rounds,).
    """
    rng = np.random.default_rng(seed)
    names = list(calls)
    times = {name: np.empty(runs) for name in names}
    end = clock() + seconds
    for round_ in tqdm(range(-warmup, runs), desc=label or "timing", unit="round", delay=2, leave=False):
        if round_ >= LEAST_ROUNDS and clock() >= end:
            return {name: taken[:round_] for name, taken in times.items()}
        for index in rng.permutation(len(names)):
            call = calls[names[index]]
            start = clock()
            call()
            elapsed = clock() - start
            if round_ >= 0:
                times[names[index]][round_] = elapsed
    return times


def speedup(
    reference: Seconds, times: Seconds, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """How many times as fast as a reference, measured in the same rounds.

    Args:
        reference: seconds by round, shape (runs,).
        times: seconds by round, shape (runs,).
        confidence: level of the interval, 0 to 1.
        resamples: bootstrap draws of rounds; both medians are taken of the same rounds.
        seed: of the draws.

    Returns:
        ``value`` (ratio of medians), ``low``, ``high``, ``confidence`` and ``rounds``.
    """
    draws = np.random.default_rng(seed).integers(0, len(times), (resamples, len(times)))
    ratios = np.median(reference[draws], axis=1) / np.median(times[draws], axis=1)
    low, high = np.quantile(ratios, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return {
        "value": round(float(np.median(reference) / np.median(times)), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "confidence": confidence,
        "rounds": len(times),
    }

"""``runtime: auto``: the fastest runtime on this very machine that gives the golden answers.

Which one wins depends on the processor, the model and its arithmetic. Measuring takes a fraction of a second;
what was measured is kept, so that the choice can be explained.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from facegate.errors import BundleError
from facegate.runtime.bundle import Bundle
from facegate.runtime.runners import RUNNERS, Runner, installed

ROUNDS = 30
WARMUP = 5


class Trial(NamedTuple):
    """How one runtime did.

    Attributes:
        ms: median time of one picture, milliseconds; None if it was not timed.
        note: why it was not timed; empty if it was.
    """

    ms: float | None
    note: str = ""


@dataclass(frozen=True)
class Choice:
    """The runtime that was chosen, and what it was chosen from.

    Attributes:
        runtime: its name.
        trials: every runtime that facegate knows.
    """

    runtime: str
    trials: dict[str, Trial]

    @property
    def reason(self) -> str:
        """One line for a log or a person."""
        parts = [f"{name} {t.note or f'{t.ms:.3f} ms'}" for name, t in self.trials.items()]
        return f"{self.runtime}: the fastest that passes the golden vectors ({'; '.join(parts)})"

    def report(self) -> dict[str, Any]:
        """As a benchmark's report shows it."""
        rounded = {n: round(t.ms, 4) if t.ms is not None else t.note for n, t in self.trials.items()}
        return {"chosen": self.runtime, "median_ms": rounded, "reason": self.reason}


def fastest(
    bundle: Bundle,
    threads: int,
    check: Callable[[Runner], object],
    call: Callable[[Runner], object],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Runner, Choice]:
    """Open a bundle with every runtime that is installed, and keep the fastest right one.

    Args:
        bundle: the model.
        threads: threads of the network.
        check: runs the golden vectors; raises BundleError where they come out differently.
        call: runs one picture; this is timed, in turns.
        clock: seconds, monotonic.

    Raises:
        BundleError: no runtime passes.
    """
    runners: dict[str, Runner] = {}
    trials: dict[str, Trial] = {}
    for name, make in RUNNERS.items():
        try:
            if not installed(name):
                raise BundleError("not installed")
            runner = make(bundle, threads)
            check(runner)
            runners[name] = runner
        except BundleError as error:
            trials[name] = Trial(None, error.problem.splitlines()[0])
    if not runners:
        notes = "; ".join(f"{name}: {trial.note}" for name, trial in trials.items())
        raise BundleError(f"{bundle.model_path.parent}: no runtime gives its golden answers: {notes}")
    for name, seconds in _time(runners, call, clock).items():
        trials[name] = Trial(float(np.median(seconds)) * 1e3)
    chosen = min(runners, key=lambda name: trials[name].ms or 0.0)
    return runners[chosen], Choice(chosen, {name: trials[name] for name in RUNNERS})


def _time(
    runners: dict[str, Runner], call: Callable[[Runner], object], clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of every round that counts, by runtime; they take turns so that drift hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for round_ in range(-WARMUP, ROUNDS):
        for name, runner in runners.items():
            start = clock()
            call(runner)
            if round_ >= 0:
                times[name].append(clock() - start)
    return times

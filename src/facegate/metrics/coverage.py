"""How often the intervals of clustered rates cover the truth: simulated, not assumed.

``python -m facegate.metrics.coverage`` prints the table of ``docs/evaluation.md``. Every person errs with a rate of
their own, drawn from a beta distribution around the true one, so that pictures of a person agree by a chosen
correlation; people have different numbers of pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from facegate.metrics.clustered import clustered_bounds
from facegate.metrics.intervals import clopper_pearson

RATES, PEOPLE, CORRELATIONS = (0.01, 0.03, 0.1, 0.3), (30, 60, 150, 400), (0.0, 0.2, 0.5, 0.9)


@dataclass(frozen=True)
class Coverage:
    """What one cell of the simulation showed.

    Attributes:
        erring: mean number of people with at least one error (or, if fewer, without one).
        covered: share of intervals that hold the true rate.
        above: share that lie wholly below it, so that the true rate is worse than claimed.
        naive: share covered by Clopper-Pearson on all pictures, as if each were another person's.
    """

    erring: float
    covered: float
    above: float
    naive: float


def simulate(
    rate: float, people: int, correlation: float, draws: int = 2000, pictures: int = 8, seed: int = 0
) -> Coverage:
    """Coverage of the 95 % interval in one cell.

    Args:
        rate: true rate, 0 to 1.
        people: their number.
        correlation: of two pictures of a person, 0 to below 1.
        draws: simulated data sets.
        pictures: mean number per person; each has 1 to twice that less one.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    of = rng.integers(1, 2 * pictures, people)
    wrong = rng.binomial(of, _proneness(rng, rate, correlation, (draws, people)))
    trials, errors = int(of.sum()), wrong.sum(axis=1)
    surplus = wrong - errors[:, None] / trials * of
    # What the bootstrap's variance tends to with the number of resamples.
    variance = (surplus**2).sum(axis=1) / trials**2 * people / (people - 1)
    bounds = np.array(
        [
            clustered_bounds(int(e), trials, float(v), (w, of))
            for e, v, w in zip(errors, variance, wrong, strict=True)
        ]
    )
    low, high = clopper_pearson(errors, trials)
    erring = np.minimum((wrong > 0).sum(axis=1), (wrong < of).sum(axis=1))
    return Coverage(
        float(erring.mean()),
        float(((bounds[:, 0] <= rate) & (rate <= bounds[:, 1])).mean()),
        float((bounds[:, 1] < rate).mean()),
        float(((low <= rate) & (rate <= high)).mean()),
    )


def table(draws: int = 2000) -> Iterator[str]:
    """All cells as lines of Markdown, as they come."""
    yield "| rate | people | correlation | people in error | covered | too low | naive |"
    yield "|---|---|---|---|---|---|---|"
    for rate, people, correlation in product(RATES, PEOPLE, CORRELATIONS):
        found = simulate(rate, people, correlation, draws)
        yield (
            f"| {100 * rate:g} % | {people} | {correlation:g} | {found.erring:.1f} | {100 * found.covered:.1f} % "
            f"| {100 * found.above:.1f} % | {100 * found.naive:.1f} % |"
        )


def _proneness(
    rng: np.random.Generator, rate: float, correlation: float, shape: tuple[int, int]
) -> NDArray[np.float64]:
    if correlation == 0:
        return np.full(shape, rate)
    mass = (1 - correlation) / correlation
    return rng.beta(rate * mass, (1 - rate) * mass, shape)


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)

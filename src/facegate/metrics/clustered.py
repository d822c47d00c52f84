"""Intervals for rates whose trials share people: as many trials as those of agreeing people are worth.

The spread over people says how many independent trials would have spread as much (Kish's design effect; Rao and
Scott, Applied Statistics 1992); Wilson's interval is taken for that number. The design effect is itself an
estimate, so a t quantile replaces the normal one, with as many degrees of freedom as that estimate is worth
(Satterthwaite, Biometrics 1946). ``docs/evaluation.md`` shows how often these intervals cover the truth.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from facegate.metrics.intervals import clopper_pearson

Counts = NDArray[np.integer] | NDArray[np.floating]

FEW = 10
"""With fewer people in error, their number stands for the degrees of freedom."""
_LEAST_EFFECT = 0.5
"""Chance alone can make people seem to agree less than strangers would; a smaller design effect is not believed."""


def wilson(errors: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a binomial rate (Wilson, JASA 1927); counts may be fractions."""
    value, z2 = errors / trials, float(ndtri((1 + confidence) / 2)) ** 2
    middle = (value + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (value * (1 - value) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def clustered_bounds(
    errors: int,
    trials: int,
    variance: float,
    by_person: tuple[Counts, Counts],
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Bounds of a rate whose trials share people.

    Without any error, or with nothing else, nothing is seen of how people agree: each counts as one trial, and the
    bounds are exact.

    Args:
        errors: observed errors.
        trials: observed trials.
        variance: of the rate, over people.
        by_person: errors and trials of each person; a comparison counts for both its people.
        confidence: level, 0 to 1.

    Returns:
        Bounds; 0 and 1 where there are fewer than two people.
    """
    people = int(np.count_nonzero(by_person[1]))
    if trials == 0 or people < 2:
        return 0.0, 1.0
    value = errors / trials
    if errors in (0, trials):
        low, high = clopper_pearson(value * people, people, confidence)
        return float(low), float(high)
    tail = (1 - confidence) / 2
    quantiles = ndtri(tail) / stdtrit(_freedom(value, trials, *by_person), tail)
    effect = max(variance * trials / (value * (1 - value)), _LEAST_EFFECT)
    worth = max(trials / effect * float(quantiles) ** 2, _least_worth(trials, by_person[1]))
    return wilson(value * worth, worth, confidence)


def _least_worth(trials: int, of: Counts) -> float:
    """Independent trials that are left if all trials of a person end alike.

    That is one a person, of equal weight (Kish), and half of that where each trial is of two people (Hoeffding's bound
    on the variance of a mean over pairs).
    """
    of = np.asarray(of, float)
    return float(of.sum() * trials / (of @ of))


def _freedom(value: float, trials: int, wrong: Counts, of: Counts) -> float:
    """Degrees of freedom of the design effect.

    Its logarithm changes with person i by ``d_i² / Σ d² − 1/n − (1 − 2p) / (p (1 − p)) · d_i / trials``, where d_i is
    the person's surplus of errors; two over the variance of the sum are its degrees of freedom.
    """
    there = of > 0
    wrong, of = np.asarray(wrong, float)[there], np.asarray(of, float)[there]
    people, surplus = wrong.size, wrong - value * of
    total = float(surplus @ surplus)
    if total == 0:
        return people - 1
    change = surplus**2 / total - 1 / people
    change -= (1 - 2 * value) / (value * (1 - value)) * surplus / trials
    variance = float(change @ change) * people / (people - 1)
    found = min(people - 1, 2 / variance) if variance > 0 else people - 1
    erring = min(np.count_nonzero(wrong > 0), np.count_nonzero(wrong < of))
    return float(max(1.0, min(found, erring) if erring < FEW else found))

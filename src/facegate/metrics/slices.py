"""Rates per group of people or conditions: who bears the errors, and is that known well enough to be said.

NIST SP 800-63A-4 (section 3.11) asks that no demographic group fare more than 25 % worse. A ratio of two small
counts says nothing, so the verdict has three values, and *undecided* is one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.bootstrap import Resamples, bootstrap_rates

TOLERANCE = 0.25
UNKNOWN = "unknown"
FEWEST_PEOPLE = 10
"""Below this many people in a group its interval is itself too uncertain for a verdict."""


class Verdict(StrEnum):
    """Whether a group's rate stays within the tolerance of the overall rate."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class SliceReport:
    """One error rate over the groups of one column.

    Attributes:
        rates: per group, in the order of their names.
        people: number of people in each group, where known.
        verdicts: per group, against the overall rate.
        worst: group with the highest rate.
        ratio: worst / best; None where the best group has no error, so that no ratio exists.
        verdict: the least favourable of the groups'.
    """

    rates: Mapping[str, Rate]
    people: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    worst: str
    ratio: float | None
    verdict: Verdict


def band(values: ArrayLike, edges: tuple[float, ...], unit: str = "") -> NDArray[np.str_]:
    """Name the band of each number: ``<18``, ``18-30`` …, ``>=60``; NaN becomes ``unknown``.

    Args:
        values: shape (n,).
        edges: ascending; a value on an edge belongs to the band above.
        unit: put behind each name.
    """
    numbers = np.asarray(values, float)
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    names = np.array([f"{n}{unit}" for n in (f"< {edges[0]:g}", *inner, f"≥ {edges[-1]:g}")])
    return np.where(np.isnan(numbers), UNKNOWN, names[np.digitize(np.nan_to_num(numbers), edges)])


def skin_tone(ita: ArrayLike) -> NDArray[np.str_]:
    """Band of the individual typology angle, degrees (Chardon et al. 1991; Del Bino and Bernerd 2013)."""
    names = ("dark", "brown", "tan", "intermediate", "light", "very light")
    numbered = np.array([f"{k} {name}" for k, name in enumerate(names, start=1)])
    angle = np.asarray(ita, float)
    index = np.digitize(np.nan_to_num(angle), (-30.0, 10.0, 28.0, 41.0, 55.0))
    return np.where(np.isnan(angle), UNKNOWN, numbered[index])


def slice_report(
    draws: Resamples,
    errors: ArrayLike,
    groups: ArrayLike,
    first: ArrayLike,
    second: ArrayLike | None = None,
    confidence: float = 0.95,
) -> SliceReport:
    """Error rate of every group, with intervals over subjects.

    Args:
        draws: resamples of all subjects.
        errors: per trial, whether it went wrong.
        groups: per trial, the name of its group.
        first: per trial, its subject.
        second: per comparison, the other subject; None where a trial is one person's.
        confidence: level of the intervals.

    Raises:
        NotMeasurableError: there is no trial.
    """
    wrong = np.asarray(errors, bool)
    if wrong.size == 0:
        raise NotMeasurableError("there is no trial to slice", "evaluate a set that holds some")
    names, code = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    rates = bootstrap_rates(draws, wrong, code, names.size, first, second, confidence)
    one, two = np.asarray(first), np.asarray(first if second is None else second)
    people = {n: np.union1d(one[code == k], two[code == k]).size for k, n in enumerate(names.tolist())}
    return summarise(dict(zip(names.tolist(), rates, strict=True)), float(wrong.mean()), people)


def summarise(
    rates: Mapping[str, Rate],
    overall: float,
    people: Mapping[str, int] | None = None,
    tolerance: float = TOLERANCE,
) -> SliceReport:
    """Judge measured groups against the overall rate.

    A group passes when its whole interval lies at or below ``(1 + tolerance) * overall``, fails when its whole
    interval lies above, and is undecided otherwise: then it holds too few samples for either claim.

    Args:
        rates: per group.
        overall: rate over all groups, 0 to 1.
        people: number of people in each group; those of fewer than ten stay undecided.
        tolerance: how much worse than overall a group may be.

    Raises:
        NotMeasurableError: no group holds a trial.
    """
    measured = {name: rate for name, rate in rates.items() if rate.value is not None}
    if not measured:
        raise NotMeasurableError("no group was measured", "evaluate a set that holds some")
    limit = (1 + tolerance) * overall
    few = {name for name, count in (people or {}).items() if count < FEWEST_PEOPLE}
    verdicts = {
        name: Verdict.UNDECIDED if name in few else _judge(rate, limit) for name, rate in rates.items()
    }
    values = {name: rate.value or 0.0 for name, rate in measured.items()}
    worst, best = max(values, key=lambda n: values[n]), min(values.values())
    order = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS)
    return SliceReport(
        dict(rates),
        dict(people or {}),
        verdicts,
        worst,
        values[worst] / best if best > 0 else None,
        next(v for v in order if v in verdicts.values()),
    )


def _judge(rate: Rate, limit: float) -> Verdict:
    if rate.value is None:
        return Verdict.UNDECIDED
    if rate.high <= limit:
        return Verdict.PASS
    return Verdict.FAIL if rate.low > limit else Verdict.UNDECIDED

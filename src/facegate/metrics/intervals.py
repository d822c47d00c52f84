"""Every rate carries the count it stands on and an interval: exact ones for independent trials.

Clopper-Pearson bounds hold when trials are independent: people, or one presentation of each. Several
pictures of a person are not; for them see :mod:`facegate.metrics.bootstrap`, which resamples people.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError

EXACT = "clopper-pearson"
BOOTSTRAP = "subject-bootstrap"


def clopper_pearson(
    errors: ArrayLike, trials: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact two-sided binomial interval (Clopper and Pearson, Biometrika 1934).

    Args:
        errors: counts, any shape; fractions where trials are effective numbers.
        trials: counts, broadcast against `errors`; no trial gives the interval 0 to 1.
        confidence: level, 0 to 1.

    Returns:
        Lower and upper bounds.

    Raises:
        NotMeasurableError: more errors than trials, or a negative count.
    """
    k, n = np.broadcast_arrays(np.asarray(errors, float), np.asarray(trials, float))
    if np.any(k < 0) or np.any(k > n):
        raise NotMeasurableError("an error count is negative or exceeds its trials", "check the two counts")
    tail = (1 - confidence) / 2
    low = np.where(k > 0, betaincinv(np.where(k > 0, k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.where(k < n, n - k, 1), 1 - tail), 1.0)
    return low, high


def exact_rate(errors: int, trials: int, confidence: float = 0.95) -> Rate:
    """A rate with its Clopper-Pearson interval; without trials its value is None and its interval 0 to 1."""
    low, high = clopper_pearson(errors, trials, confidence)
    return Rate(
        value=errors / trials if trials else None,
        errors=errors,
        trials=trials,
        low=float(low),
        high=float(high),
        confidence=confidence,
        method=EXACT,
    )


def complement(rate: Rate) -> Rate:
    """One minus a rate: TAR from FNMR, for instance. `errors` then counts the successes."""
    right = rate.trials - rate.errors
    value = None if rate.value is None else right / rate.trials
    return rate.model_copy(
        update={"value": value, "errors": right, "low": 1 - rate.high, "high": 1 - rate.low}
    )


def zero_error_bound(trials: int, confidence: float = 0.95) -> float:
    """Largest rate that `trials` without a single error leave plausible; about 3 / trials at 95 % (rule of 3)."""
    return 1 - (1 - confidence) ** (1 / trials) if trials else 1.0


def trials_to_claim(target: float, confidence: float = 0.95) -> int:
    """Fewest independent, error-free trials after which "the rate is below `target`" may be claimed.

    About 3 / target at 95 %: 42 for 7 %, 299 for 1 %, 2,995 for 1e-3.
    """
    return math.ceil(math.log1p(-confidence) / math.log1p(-target))

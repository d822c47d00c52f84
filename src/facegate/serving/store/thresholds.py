"""A threshold for one comparison is no threshold for a search: it has to grow with the gallery.

A stranger is compared with all N templates, so the false positive identification rate is about
``1 - (1 - FMR)^N`` (ISO/IEC 19795-1, comparisons taken as independent). The contract names the thresholds of some
false match rates; between them, and beyond the lowest, the logarithm of the rate is taken to fall linearly with
the score, which is how exponential tails fall. What lies beyond the data is marked.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facegate.contracts import ModelContract
from facegate.errors import BundleError
from facegate.serving.store.errors import InvalidError


@dataclass(frozen=True)
class SearchThreshold:
    """Threshold for a search.

    Attributes:
        threshold: at or above it the best candidate is returned.
        size: number of templates that it was made for.
        fpir: false positive identification rate aimed at.
        fmr: false match rate of one comparison that this asks for.
        how: ``measured`` within the contract's operating points; ``tail`` beyond the lowest of them.
    """

    threshold: float
    size: int
    fpir: float
    fmr: float
    how: Literal["measured", "tail"]


def threshold_for(contract: ModelContract, size: int, *, fpir: float = 0.01) -> SearchThreshold:
    """The threshold that keeps the false positive identification rate in a gallery of some size.

    Args:
        contract: names the thresholds of false match rates.
        size: number of templates; 0 is taken as 1.
        fpir: rate aimed at, above 0 and below 1.

    Raises:
        BundleError: the contract names no threshold of a false match rate.
        InvalidError: the rate is no rate.
    """
    if not 0 < fpir < 1:
        raise InvalidError(f"FPIR of {fpir:g}", "give a rate above 0 and below 1, for instance 0.01")
    rates, thresholds = _points(contract)
    fmr = -math.expm1(math.log1p(-fpir) / max(size, 1))
    wanted = math.log(fmr)
    if wanted >= rates[-1]:
        return SearchThreshold(thresholds[-1], size, fpir, fmr, "measured")
    if wanted >= rates[0]:
        between = float(np.interp(wanted, rates, thresholds))
        return SearchThreshold(between, size, fpir, fmr, "measured")
    beyond = thresholds[0] + _slope(rates, thresholds) * (rates[0] - wanted)
    return SearchThreshold(min(beyond, 1.0), size, fpir, fmr, "tail")


def _points(contract: ModelContract) -> tuple[list[float], list[float]]:
    """Logarithms of the false match rates, rising, and their thresholds, falling."""
    points = [
        (math.log(point.target), point.threshold)
        for point in contract.operating_points.values()
        if point.metric == "FMR" and point.target
    ]
    if not points:
        raise BundleError(
            f"model {contract.name}: its contract has no operating point of a false match rate",
            "take the evaluated model from the registry, or run `dvc repro` to evaluate it",
        )
    rates, thresholds = zip(*sorted(points), strict=True)
    return list(rates), np.maximum.accumulate(thresholds[::-1])[::-1].tolist()


def _slope(rates: list[float], thresholds: list[float]) -> float:
    """Rise of the threshold for each natural logarithm that the rate falls, from the two lowest rates."""
    if len(rates) < 2:
        return 0.1
    return (thresholds[0] - thresholds[1]) / (rates[1] - rates[0])

"""From a score to an answer: by a named operating point, never by a number in the code.

A threshold means nothing without the data and the rate it was set for; both stand in the contract, and the
name of the point goes with every answer.
"""

import difflib
import math
from enum import StrEnum
from typing import NamedTuple

from facegate.contracts import Calibration, ModelContract, OperatingPoint, Task
from facegate.errors import BundleError

PREFERRED = {
    Task.RECOGNITION: ("fmr_1e-3", "fmr_1e-2", "eer"),
    Task.SPOOF: ("bpcer_5", "bpcer_10", "eer"),
    Task.LIVENESS: ("bpcer_5", "bpcer_10", "eer"),
    Task.EYES: ("eer",),
}
"""The point that is taken where none is named: the first of these that the contract has."""


class Verdict(StrEnum):
    """Answer to a person."""

    ACCEPT = "accept"
    REJECT = "reject"
    RETRY = "retry"


class Policy(NamedTuple):
    """One operating point of one model.

    Attributes:
        name: name of the point, for instance ``fmr_1e-3``.
        point: its threshold and where that was measured.
        calibration: from score to likelihood ratio.
    """

    name: str
    point: OperatingPoint
    calibration: Calibration

    def decide(self, score: float) -> Verdict:
        """Accept at or above the threshold; retry where the score is no number."""
        if math.isnan(score):
            return Verdict.RETRY
        return Verdict.ACCEPT if score >= self.point.threshold else Verdict.REJECT

    def llr(self, score: float) -> float | None:
        """Natural-log likelihood ratio of a score; None where the model was not calibrated."""
        return log_likelihood_ratio(score, self.calibration)


def choose_policy(contract: ModelContract, name: str | None = None) -> Policy:
    """The operating point of that name, or the preferred one of the task.

    Raises:
        BundleError: the contract has no such point, or none at all.
    """
    points = contract.operating_points
    if not points:
        raise BundleError(
            f"model {contract.name}: its contract has no `operating_points`, so nothing can be decided",
            "take the evaluated model from the registry, or run `dvc repro` to evaluate it",
        )
    if name is None:
        name = next((known for known in PREFERRED[contract.task] if known in points), min(points))
    if name not in points:
        near = difflib.get_close_matches(name, points, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise BundleError(
            f"model {contract.name}: no operating point `{name}`{hint}",
            f"choose one of {', '.join(sorted(points))}",
        )
    return Policy(name, points[name], contract.calibration)


def log_likelihood_ratio(score: float, calibration: Calibration) -> float | None:
    """``slope * score + offset``; None where the model was not calibrated."""
    if calibration.kind == "none":
        return None
    return calibration.slope * score + calibration.offset

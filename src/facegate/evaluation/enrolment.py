"""How much better people are told apart when several pictures of each are enrolled.

All sizes of template are tried with the same probes, so that nothing but the enrolment differs. Thresholds are set
on validation people enrolled in the same way.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.evaluation.search import DRAWN, score_matrix
from facegate.evaluation.tables import Comparisons
from facegate.metrics.bootstrap import bootstrap_rate, resample
from facegate.metrics.eer_interval import eer_rate
from facegate.metrics.templates import template_scores
from facegate.metrics.verification import threshold_at_fmr
from facegate.params import EvaluateParams

SIZES = (1, 3, 5)
"""Pictures per template."""
TARGET = 0.01


class _Claims(NamedTuple):
    """Every probe against every template, flat: scores, subjects of probe and template."""

    scores: NDArray[np.float64]
    probe: NDArray[np.intp]
    template: NDArray[np.intp]

    @property
    def mated(self) -> NDArray[np.bool_]:
        return self.probe == self.template


def templates(val: Comparisons, test: Comparisons, params: EvaluateParams) -> dict[str, Any]:
    """FNMR and FMR at FMR 1 % (threshold from validation people), and EER, by pictures per template.

    Returns:
        ``{"probes", "people", "target_fmr", "by_pictures": {n: {"threshold", "fmr", "fnmr", "eer"}}}``, or
        ``{"note": why not}``.
    """
    matrices = score_matrix(val), score_matrix(test)
    if matrices[0] is None or matrices[1] is None:
        return {"note": DRAWN}
    most = min(_largest(val), _largest(test))
    if most == 0:
        return {"note": "not measured: most people have a single picture"}
    found: dict[str, Any] = {"target_fmr": TARGET, "by_pictures": {}}
    for size in (n for n in SIZES if n <= most):
        chosen, measured = (
            _claims(part, matrix, size, most)
            for part, matrix in zip((val, test), matrices, strict=True)
            if matrix is not None
        )
        try:
            threshold = threshold_at_fmr(chosen.scores[~chosen.mated], TARGET)
            found["by_pictures"][str(size)] = _rates(measured, threshold, params)
        except NotMeasurableError as error:
            return {"note": f"not measured: {error.problem}"}
        found |= {
            "probes": int(measured.mated.sum()),
            "people": int(np.unique(measured.template).size),
        }
    return found


def _largest(part: Comparisons) -> int:
    """The largest template that leaves a probe to at least half of the people, and to two of them."""
    pictures = np.bincount(part.subjects)
    enough = [n for n in SIZES if (pictures > n).sum() >= max(2, pictures.size / 2)]
    return max(enough, default=0)


def _claims(part: Comparisons, scores: NDArray[np.float32], size: int, most: int) -> _Claims:
    order = np.argsort(part.subjects, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(part.subjects))[:-1])
    kept = [group for group in groups if group.size > most]
    probes = np.concatenate([group[most:] for group in kept])
    people = part.subjects[[group[0] for group in kept]]
    table = template_scores(scores, probes, [group[:size] for group in kept])
    return _Claims(table.ravel(), np.repeat(part.subjects[probes], people.size), np.tile(people, probes.size))


def _rates(claims: _Claims, threshold: float, params: EvaluateParams) -> dict[str, float | Rate]:
    draws = resample(claims.template, params.bootstrap, params.seed)
    mated, accepted = claims.mated, claims.scores >= threshold
    own, strange = (claims.scores[mated], claims.probe[mated]), claims.scores[~mated]
    sides = claims.probe[~mated], claims.template[~mated]
    return {
        "threshold": threshold,
        "fmr": bootstrap_rate(draws, accepted[~mated], *sides, params.confidence),
        "fnmr": bootstrap_rate(draws, ~accepted[mated], claims.probe[mated], None, params.confidence),
        "eer": eer_rate(draws, own, (strange, *sides), params.confidence),
    }

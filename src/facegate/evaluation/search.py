"""Searches of a gallery, put together from the comparisons that a score table holds anyway."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.errors import NotMeasurableError
from facegate.evaluation.tables import Comparisons
from facegate.metrics.identification import fnir, fpir, gallery_thresholds, rank_rate, search
from facegate.metrics.scores import threshold_accepting
from facegate.params import EvaluateParams

SIZES = (10, 100, 1_000, 10_000)
"""Gallery sizes for which a threshold is stated."""
FPIR = 0.05
DRAWN = "not measured: the table holds a draw of the non-mated comparisons only"


def identification(test: Comparisons, params: EvaluateParams) -> dict[str, Any]:
    """Open-set identification: half of the people are enrolled with one picture, all other pictures search.

    Returns:
        Rates and thresholds, or ``{"note": why}`` where the table does not hold every comparison.
    """
    scores = score_matrix(test)
    if scores is None:
        return {"note": DRAWN}
    enrolled = np.random.default_rng(params.seed).permutation(test.people.size) % 2 == 0
    first = np.unique(test.subjects, return_index=True)[1]
    gallery = first[enrolled[test.subjects[first]]]
    probes = np.setdiff1d(np.arange(test.samples.size), gallery)
    block = scores[np.ix_(probes, gallery)]
    try:
        found = search(block, test.subjects[probes], test.subjects[gallery])
        threshold = threshold_accepting(found.top_scores, FPIR, "non-mated search")
    except NotMeasurableError as error:
        return {"note": f"not measured: {error.problem}"}
    return {
        "gallery": gallery.size,
        "rank_1": rank_rate(found, 1, params.confidence),
        "rank_5": rank_rate(found, 5, params.confidence),
        "threshold_from": "test",
        "threshold": threshold,
        "fpir": fpir(found, threshold, params.confidence),
        "fnir": fnir(found, threshold, 1, params.confidence),
        "thresholds_by_gallery_size": _by_size(block[~enrolled[test.subjects[probes]]], params.seed),
    }


def _by_size(strangers: NDArray[np.float32], seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in SIZES:
        try:
            row = gallery_thresholds(strangers, (size,), FPIR, seed)[0]
        except NotMeasurableError as error:
            found[str(size)] = {"note": f"not measured: {error.problem}"}
            continue
        found[str(size)] = {"threshold": row.threshold, "how": row.how, "target_fpir": FPIR}
    return found


def score_matrix(part: Comparisons) -> NDArray[np.float32] | None:
    """Scores of all samples with each other, shape (s, s), 1 on the diagonal; None if some were not compared."""
    size = part.samples.size
    if part.scores.size < size * (size - 1) // 2:
        return None
    scores = np.ones((size, size), np.float32)
    scores[part.probe, part.reference] = part.scores
    scores[part.reference, part.probe] = part.scores
    return scores

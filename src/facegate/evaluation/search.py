"""Open-set searches of a gallery, put together from the comparisons that a score table holds anyway.

Half of the people of a split are enrolled with one picture each; all other pictures search, those of the other half as
strangers. Thresholds come from validation strangers and are applied to the test people's searches.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.evaluation.tables import Comparisons
from facegate.metrics.bootstrap import bootstrap_rate, resample
from facegate.metrics.identification import Searches, gallery_thresholds, search
from facegate.params import EvaluateParams

SIZES = (10, 100, 1_000, 10_000)
"""Gallery sizes for which a threshold is stated, besides that of the test gallery."""
FPIR = 0.05
DRAWN = "not measured: the table holds a draw of the non-mated comparisons only"


@dataclass(frozen=True)
class _Gallery:
    """Scores of every probe with every reference, and whose they are.

    Attributes:
        scores: shape (probes, references).
        probes: subject of each probe.
        references: subject of each reference.
        found: the outcome of all searches.
    """

    scores: NDArray[np.float32]
    probes: NDArray[np.intp]
    references: NDArray[np.intp]
    found: Searches

    @property
    def enrolled(self) -> NDArray[np.bool_]:
        return np.isin(self.probes, self.references)


def identification(val: Comparisons, test: Comparisons, params: EvaluateParams) -> dict[str, Any]:
    """Open-set identification at FPIR 5 %, and how the threshold has to grow with the gallery.

    Returns:
        ``gallery`` (size), ``rank_1``, ``rank_5``, ``threshold`` with ``how`` it is known, ``fpir`` and ``fnir`` of test
        people at it, and ``by_gallery_size``; or ``{"note": why not}``.
    """
    try:
        chosen, measured = (_gallery(part, params.seed) for part in (val, test))
        strangers = chosen.scores[~chosen.enrolled]
        size = measured.references.size
        here = gallery_thresholds(strangers, (size,), FPIR, params.seed)[0]
        rates = _rates(measured, here.threshold, size, params)
    except NotMeasurableError as error:
        return {"note": f"not measured: {error.problem}"}
    return {
        "gallery": size,
        "rank_1": _rank(measured, 1, params),
        "rank_5": _rank(measured, 5, params),
        "target_fpir": FPIR,
        "threshold": here.threshold,
        "how": here.how,
        **rates,
        "by_gallery_size": {str(n): _at_size(strangers, measured, n, params) for n in SIZES},
    }


def score_matrix(part: Comparisons) -> NDArray[np.float32] | None:
    """Scores of all samples with each other, shape (s, s), 1 on the diagonal; None if some were not compared."""
    size = part.samples.size
    if part.scores.size < size * (size - 1) // 2:
        return None
    scores = np.ones((size, size), np.float32)
    scores[part.probe, part.reference] = part.scores
    scores[part.reference, part.probe] = part.scores
    return scores


def _gallery(part: Comparisons, seed: int) -> _Gallery:
    scores = score_matrix(part)
    if scores is None:
        raise NotMeasurableError(DRAWN.removeprefix("not measured: "), "compare all samples")
    enrolled = np.random.default_rng(seed).permutation(part.people.size) % 2 == 0
    first = np.unique(part.subjects, return_index=True)[1]
    references = first[enrolled[part.subjects[first]]]
    probes = np.setdiff1d(np.arange(part.samples.size), references)
    block = scores[np.ix_(probes, references)]
    who, whose = part.subjects[probes], part.subjects[references]
    return _Gallery(block, who, whose, search(block, who, whose))


def _at_size(
    strangers: NDArray[np.float32], measured: _Gallery, size: int, params: EvaluateParams
) -> dict[str, Any]:
    try:
        row = gallery_thresholds(strangers, (size,), FPIR, params.seed)[0]
    except NotMeasurableError as error:
        return {"note": f"not measured: {error.problem}"}
    return {"threshold": row.threshold, "how": row.how, **_rates(measured, row.threshold, size, params)}


def _rates(measured: _Gallery, threshold: float, size: int, params: EvaluateParams) -> dict[str, Rate | None]:
    """FPIR (None where the gallery is not that large) and FNIR at a threshold.

    In a larger gallery than the measured one FNIR is that of the threshold alone: no rival before the mate is known.
    """
    draws = resample(measured.probes, params.bootstrap, params.seed)
    stranger, fits = ~measured.enrolled, size <= measured.references.size
    part = np.random.default_rng(params.seed).permutation(measured.references.size)[:size]
    returned = (measured.scores[stranger][:, part] >= threshold).any(axis=1)
    missed = (measured.found.mate_scores < threshold) | ((measured.found.mate_ranks > 1) & fits)
    own, other = measured.probes[~stranger], measured.probes[stranger]
    return {
        "fpir": bootstrap_rate(draws, returned, other, None, params.confidence) if fits else None,
        "fnir": bootstrap_rate(draws, missed, own, None, params.confidence),
    }


def _rank(measured: _Gallery, rank: int, params: EvaluateParams) -> Rate:
    """Share of enrolled people's searches with the mate among the first `rank`; `errors` counts these successes."""
    draws = resample(measured.probes, params.bootstrap, params.seed)
    own = measured.probes[measured.enrolled]
    return bootstrap_rate(draws, measured.found.mate_ranks <= rank, own, None, params.confidence)

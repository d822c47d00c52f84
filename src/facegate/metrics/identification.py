"""One-to-many search in the terms of ISO/IEC 19795-1: FPIR, FNIR, rank, and thresholds that grow with the gallery.

A threshold for one comparison is no threshold for a search: among N references the chance of a false hit is
about ``1 - (1 - FMR)^N``. So thresholds are stated per gallery size: measured as far as the test gallery
reaches, and beyond it extrapolated and marked as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.intervals import exact_rate
from facegate.metrics.scores import Scores, checked, rate_accepted, threshold_accepting

SEARCH = "non-mated search"


@dataclass(frozen=True)
class Searches:
    """Outcome of searching a gallery.

    Attributes:
        mate_scores: per enrolled probe, the score of the reference of its own subject.
        mate_ranks: per enrolled probe, the rank of that reference; 1 is the top. Ties count against it.
        top_scores: per probe that is *not* enrolled, the highest score in the gallery.
    """

    mate_scores: Scores
    mate_ranks: NDArray[np.intp]
    top_scores: Scores


@dataclass(frozen=True)
class GalleryThreshold:
    """Threshold that keeps FPIR at a target in a gallery of some size.

    Attributes:
        size: number of references.
        threshold: at or above it a candidate is returned.
        how: ``measured`` on searches; ``independence`` where FMR was measured and ``1 - (1 - FMR)^N`` assumed;
            ``tail`` where even the FMR lies beyond the comparisons and an exponential tail was fitted.
        fpir: rate measured at the threshold; None if it was not measured.
    """

    size: int
    threshold: float
    how: Literal["measured", "independence", "tail"]
    fpir: Rate | None


def fuse_templates(
    embeddings: NDArray[np.floating], subjects: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """One template of several pictures of each subject: the mean of the unit embeddings, at unit length.

    Args:
        embeddings: shape (n, d), any length but zero.
        subjects: shape (n,).

    Returns:
        Templates of shape (s, d), and the sorted subjects.
    """
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    names, code = np.unique(np.asarray(subjects), return_inverse=True)
    total = np.zeros((names.size, unit.shape[1]))
    np.add.at(total, code, unit)
    return total / np.linalg.norm(total, axis=1, keepdims=True), names


def search(scores: ArrayLike, probe_subjects: ArrayLike, gallery_subjects: ArrayLike) -> Searches:
    """Search every probe against the whole gallery.

    Args:
        scores: shape (probes, references).
        probe_subjects: shape (probes,).
        gallery_subjects: shape (references,), one reference a subject.

    Raises:
        NotMeasurableError: a score is NaN, or a subject is enrolled twice.
    """
    table = np.asarray(scores)
    checked(table, "search")
    gallery, probes = np.asarray(gallery_subjects), np.asarray(probe_subjects)
    order = np.argsort(gallery)
    if np.any(gallery[order][1:] == gallery[order][:-1]):
        raise NotMeasurableError(
            "a subject is enrolled twice", "fuse the pictures of a subject to one template"
        )
    at = np.minimum(np.searchsorted(gallery, probes, sorter=order), gallery.size - 1)
    mate = order[at]
    enrolled = gallery[mate] == probes
    own = table[enrolled, mate[enrolled]]
    ranks = (table[enrolled] >= own[:, None]).sum(axis=1)
    return Searches(own, ranks, table[~enrolled].max(axis=1) if (~enrolled).any() else table[:0, 0])


def rank_rate(searches: Searches, rank: int = 1, confidence: float = 0.95) -> Rate:
    """Share of enrolled probes whose mate is among the first `rank`; `errors` counts these successes."""
    return exact_rate(int((searches.mate_ranks <= rank).sum()), searches.mate_ranks.size, confidence)


def fpir(searches: Searches, threshold: float, confidence: float = 0.95) -> Rate:
    """False positive identification rate: searches of strangers that return anybody."""
    return rate_accepted(searches.top_scores, threshold, SEARCH, confidence)


def fnir(searches: Searches, threshold: float, rank: int = 1, confidence: float = 0.95) -> Rate:
    """False negative identification rate: searches whose mate is below the threshold or beyond `rank`."""
    missed = (searches.mate_scores < threshold) | (searches.mate_ranks > rank)
    return exact_rate(int(missed.sum()), missed.size, confidence)


def gallery_thresholds(
    scores: ArrayLike, sizes: Sequence[int], target: float = 0.01, seed: int = 0, draws: int = 20
) -> list[GalleryThreshold]:
    """Thresholds for galleries of several sizes.

    Args:
        scores: shape (probes, references), of probes that are not enrolled.
        sizes: gallery sizes; up to the number of references they are measured on random sub-galleries.
        target: FPIR aimed at.
        seed: of the sub-galleries.
        draws: sub-galleries of each size.
    """
    table = np.atleast_2d(np.asarray(scores))
    checked(table, SEARCH)
    return [_threshold_for(table, size, target, seed, draws) for size in sizes]


def _threshold_for(table: Scores, size: int, target: float, seed: int, draws: int) -> GalleryThreshold:
    if size <= table.shape[1] and table.shape[0] * target >= 1:
        rng = np.random.default_rng((seed, size))
        tops = np.concatenate(
            [table[:, rng.permutation(table.shape[1])[:size]].max(axis=1) for _ in range(draws)]
        )
        threshold = threshold_accepting(tops, target, SEARCH)
        found = int((tops >= threshold).sum())
        # Sub-galleries share their probes: count each probe once.
        rate = exact_rate(round(found / draws), table.shape[0])
        return GalleryThreshold(size, threshold, "measured", rate)
    per_comparison = -np.expm1(np.log1p(-target) / size)
    if table.size * per_comparison >= 1:
        return GalleryThreshold(
            size, threshold_accepting(table, float(per_comparison), SEARCH), "independence", None
        )
    return GalleryThreshold(size, _tail_threshold(table.ravel(), float(per_comparison)), "tail", None)


def _tail_threshold(scores: Scores, share: float) -> float:
    """Exponential tail over the highest hundredth (peaks over threshold; cf. ISO/IEC 5152)."""
    start = float(np.quantile(scores, 0.99))
    beyond = scores[scores > start] - start
    if beyond.size < 10:
        raise NotMeasurableError(
            f"{scores.size} non-mated scores are too few to fit a tail", "search more strangers"
        )
    return start + float(beyond.mean()) * float(np.log(beyond.size / scores.size / share))

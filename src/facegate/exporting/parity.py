"""Does the exported model decide as the trained network does? Measured on crops, written down as a report.

A small difference of the numbers says little by itself: what counts is how many *decisions* change at the
thresholds that will be used. Mated comparisons are counted apart, because nearly all others lie far from any
threshold and would hide a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import AttackSpecies, Rate
from facegate.metrics.intervals import exact_rate
from facegate.metrics.pad import threshold_at_bpcer
from facegate.metrics.verification import threshold_at_fmr

FP32_LIMIT = 1e-4
"""Largest difference allowed between the trained network and its fp32 export."""
_QUANTILES = (0.0, 0.01, 0.05, 0.5)


@dataclass(frozen=True)
class Decisions:
    """Scores with the threshold that decides on them.

    Attributes:
        name: of the operating point, for instance ``fmr_1e-3``.
        threshold: a score at or above it is accepted.
        reference: scores of the trained network, shape (n,).
        genuine: mated comparisons, or bona fide presentations, shape (n,).
        pairwise: scores are those of :func:`pair_scores`; otherwise the outputs' last column.
    """

    name: str
    threshold: float
    reference: NDArray[np.float32]
    genuine: NDArray[np.bool_]
    pairwise: bool


def flip_rate(reference: ArrayLike, scores: ArrayLike, threshold: float) -> Rate:
    """Share of decisions that differ between two sets of scores of the same trials.

    Args:
        reference: scores of the trained network, shape (n,).
        scores: scores of the exported model, shape (n,).
        threshold: a score at or above it is accepted.
    """
    before, after = np.asarray(reference) >= threshold, np.asarray(scores) >= threshold
    return exact_rate(int(np.sum(before != after)), len(before))


def closeness(reference: NDArray[np.float32], outputs: NDArray[np.float32]) -> dict[str, Any]:
    """Differences between two sets of outputs of shape (n, size).

    Returns:
        ``largest`` and ``mean`` absolute difference, and the cosine between the rows at some quantiles.
    """
    gap = np.abs(reference.astype(np.float64) - outputs)
    lengths = np.linalg.norm(reference, axis=1) * np.linalg.norm(outputs, axis=1)
    cosines = np.sum(reference * outputs, axis=1, dtype=np.float64) / np.maximum(lengths, 1e-12)
    quantiles = {f"{q:g}": float(np.quantile(cosines, q)) for q in _QUANTILES}
    return {"largest": float(gap.max()), "mean": float(gap.mean()), "cosine_quantiles": quantiles}


def pair_decisions(embeddings: NDArray[np.float32], subjects: Sequence[str], fmr: float = 1e-3) -> Decisions:
    """All comparisons between the samples, decided at the threshold of a false match rate.

    Args:
        embeddings: of the trained network, unit length, shape (n, size).
        subjects: of each sample.
        fmr: target of the threshold, 0 to 1.

    Raises:
        NotMeasurableError: there are no two subjects.
    """
    scores, mated = pair_scores(embeddings), _pairs_mated(subjects)
    threshold = _between(scores, threshold_at_fmr(scores[~mated], fmr))
    return Decisions(f"fmr_{_short(fmr)}", threshold, scores, mated, True)


def presentation_decisions(
    probabilities: NDArray[np.float32], species: Sequence[str], bpcer: float = 0.05
) -> Decisions:
    """All presentations, decided at the threshold of a bona fide rejection rate.

    Args:
        probabilities: of the trained network, shape (n, 2), bona fide last.
        species: of each presentation.
        bpcer: target of the threshold, 0 to 1.

    Raises:
        NotMeasurableError: there is no bona fide presentation.
    """
    genuine = np.asarray(species) == AttackSpecies.BONA_FIDE
    scores = probabilities[:, -1]
    threshold = _between(scores, threshold_at_bpcer(scores[genuine], bpcer))
    return Decisions(f"bpcer_{_short(bpcer)}", threshold, scores, genuine, False)


def eye_decisions(probabilities: NDArray[np.float32], closure: ArrayLike, missed: float = 0.05) -> Decisions:
    """All eyes, decided at the threshold at which a share of the open ones is called closed.

    Args:
        probabilities: of the trained network, shape (n, 2), open last.
        closure: of each eye, 0 open to 1 closed.
        missed: that share, 0 to 1.

    Raises:
        NotMeasurableError: no eye is open.
    """
    opened = np.asarray(closure) < 0.5
    scores = probabilities[:, -1]
    threshold = _between(scores, threshold_at_bpcer(scores[opened], missed))
    return Decisions(f"open_missed_{_short(missed)}", threshold, scores, opened, False)


def pair_scores(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of every pair of rows, in the order of ``numpy.triu_indices(n, 1)``."""
    return (embeddings @ embeddings.T)[np.triu_indices(len(embeddings), 1)]


def compare(
    reference: NDArray[np.float32], outputs: NDArray[np.float32], decisions: Decisions | None
) -> dict[str, Any]:
    """Parity of one exported model with the trained network on the same crops.

    Args:
        reference: outputs of the trained network, shape (n, size).
        outputs: outputs of the exported model, shape (n, size).
        decisions: of the trained network, from one of the functions above; None leaves flips out.

    Returns:
        :func:`closeness`, and ``flips`` with the rate over all trials, over genuine and over other ones.
    """
    report = closeness(reference, outputs)
    if decisions is None:
        return report
    scores = pair_scores(outputs) if decisions.pairwise else outputs[:, -1]
    groups = {"all": np.ones(len(scores), bool), "genuine": decisions.genuine, "other": ~decisions.genuine}
    rates = {
        name: flip_rate(decisions.reference[chosen], scores[chosen], decisions.threshold).model_dump()
        for name, chosen in groups.items()
    }
    report["flips"] = {"operating_point": decisions.name, "threshold": decisions.threshold, **rates}
    return report


def _pairs_mated(subjects: Sequence[str]) -> NDArray[np.bool_]:
    names = np.asarray(subjects)
    first, second = np.triu_indices(len(names), 1)
    return names[first] == names[second]


def _between(scores: NDArray[np.float32], threshold: float) -> float:
    """The same decisions with the threshold midway between two scores: no rounding error can flip the nearest."""
    accepted, rejected = scores[scores >= threshold], scores[scores < threshold]
    if not len(accepted) or not len(rejected):
        return threshold
    return (float(accepted.min()) + float(rejected.max())) / 2


def _short(target: float) -> str:
    return f"{target:.0e}".replace("e-0", "e-")

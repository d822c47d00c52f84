"""Figures that other people's tables hold, kept only to be compared with them.

ACER, HTER and the pooled EER hide the one attack that always passes, and none of them is in
ISO/IEC 30107-3:2023. Whatever reports them must put them under the word *legacy*.
"""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from facegate.contracts import Rate
from facegate.metrics.pad import PadRates, apcer, bpcer, split_presentations, threshold_at_bpcer
from facegate.metrics.verification import EqualErrorRate, eer, error_curves


@dataclass(frozen=True)
class TprAtFpr:
    """One column of CelebA-Spoof's table. There *spoof* is the positive class.

    Attributes:
        target: the FPR aimed at, the share of live pictures flagged as spoof.
        fpr: measured share; this is BPCER.
        tpr: share of spoof pictures caught; this is one minus APCER pooled over all attacks.
        threshold: of the bona fide score; below it a picture is flagged.
    """

    target: float
    fpr: Rate
    tpr: Rate
    threshold: float


def acer(rates: PadRates) -> float | None:
    """Legacy: mean of the worst species' APCER and BPCER."""
    worst, refused = rates.worst_apcer.value, rates.bpcer.value
    return None if worst is None or refused is None else (worst + refused) / 2


def hter(scores: ArrayLike, species: ArrayLike, threshold: float) -> float | None:
    """Legacy: half total error rate, the mean of BPCER and of APCER pooled over all attacks."""
    bona_fide, attacks = split_presentations(scores, species)
    accepted, refused = apcer(attacks, threshold).value, bpcer(bona_fide, threshold).value
    return None if accepted is None or refused is None else (accepted + refused) / 2


def pooled_eer(scores: ArrayLike, species: ArrayLike) -> EqualErrorRate:
    """Legacy: equal error rate over all attacks pooled, and its threshold."""
    bona_fide, attacks = split_presentations(scores, species)
    return eer(error_curves(bona_fide, attacks))


def tpr_at_fpr(
    scores: ArrayLike, species: ArrayLike, targets: tuple[float, ...] = (0.01, 0.005, 0.001)
) -> list[TprAtFpr]:
    """TPR at FPR in CelebA-Spoof's own orientation (spoof positive, threshold from the live scores).

    Its scorer prints 10E-3, 5E-3 and 10E-4 for what are 1 %, 0.5 % and 0.1 %. As there, the threshold is
    chosen on the very set it is applied to, so these are for comparison with that table only.

    Args:
        scores: bona fide scores, as everywhere here.
        species: species of each.
        targets: the FPRs.
    """
    bona_fide, attacks = split_presentations(scores, species)
    rows = []
    for target in targets:
        threshold = threshold_at_bpcer(bona_fide, target)
        caught = bpcer(attacks, threshold)
        rows.append(TprAtFpr(target, bpcer(bona_fide, threshold), caught, threshold))
    return rows

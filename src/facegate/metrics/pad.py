"""Presentation attack detection in the terms of ISO/IEC 30107-3: APCER per species, the worst of them, BPCER.

The mistake to fear here is the swap: a much-used evaluator prints APCER where BPCER stands. So the words are
pinned: **APCER** counts *attacks* accepted as bona fide, **BPCER** counts *bona fide* presentations refused.
Scores are higher for bona fide; a presentation is accepted at or above the threshold. A presentation without a
response is no score: it is counted by APNRR or BPNRR. Thresholds belong to a validation set; every function
takes them as an argument or returns one, and none chooses and applies on the same call.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import AttackSpecies, Rate
from facegate.errors import NotMeasurableError
from facegate.metrics.intervals import exact_rate
from facegate.metrics.scores import (
    Scores,
    checked,
    rate_accepted,
    rate_rejected,
    split_scores,
    threshold_accepting,
    threshold_rejecting,
)

BONA_FIDE, ATTACK = AttackSpecies.BONA_FIDE.value, "attack"


@dataclass(frozen=True)
class PadRates:
    """Errors at one threshold.

    Attributes:
        threshold: at or above it a presentation is accepted.
        apcer: per attack species.
        worst_species: the species with the highest APCER.
        bpcer: over all bona fide presentations.
    """

    threshold: float
    apcer: Mapping[str, Rate]
    worst_species: str
    bpcer: Rate

    @property
    def worst_apcer(self) -> Rate:
        """The APCER that the standard asks to be reported."""
        return self.apcer[self.worst_species]


def split_presentations(scores: ArrayLike, species: ArrayLike) -> tuple[Scores, Scores]:
    """Bona fide scores and attack scores of one table.

    Raises:
        NotMeasurableError: either kind is missing, or a score is NaN.
    """
    return split_scores(scores, np.asarray(species) == BONA_FIDE, (BONA_FIDE, ATTACK))


def by_species(scores: ArrayLike, species: ArrayLike) -> dict[str, Scores]:
    """Attack scores of each species, in the order of their names.

    Raises:
        NotMeasurableError: there is no attack, or a score is NaN.
    """
    values, names = np.asarray(scores).ravel(), np.asarray(species).ravel().astype(str)
    attacks = sorted(set(names.tolist()) - {BONA_FIDE})
    if not attacks:
        raise NotMeasurableError("there are no attack presentations", "evaluate a set that holds some")
    return {name: checked(values[names == name], name) for name in attacks}


def apcer(attacks: ArrayLike, threshold: float, confidence: float = 0.95) -> Rate:
    """Attack presentation classification error rate of one species: attacks at or above the threshold."""
    return rate_accepted(attacks, threshold, ATTACK, confidence)


def bpcer(bona_fide: ArrayLike, threshold: float, confidence: float = 0.95) -> Rate:
    """Bona fide presentation classification error rate: bona fide presentations below the threshold."""
    return rate_rejected(bona_fide, threshold, BONA_FIDE, confidence)


def pad_rates(scores: ArrayLike, species: ArrayLike, threshold: float, confidence: float = 0.95) -> PadRates:
    """APCER of every species and BPCER at a threshold chosen elsewhere."""
    bona_fide, _ = split_presentations(scores, species)
    rates = {
        name: apcer(values, threshold, confidence) for name, values in by_species(scores, species).items()
    }
    return PadRates(threshold, rates, worst_species(rates), bpcer(bona_fide, threshold, confidence))


def worst_species(rates: Mapping[str, Rate]) -> str:
    """Name of the species with the highest APCER; among equals the one with the highest upper bound.

    Raises:
        NotMeasurableError: no species was measured.
    """
    measured = {name: rate for name, rate in rates.items() if rate.value is not None}
    if not measured:
        raise NotMeasurableError("no attack species was measured", "evaluate a set that holds attacks")
    return max(sorted(measured), key=lambda name: (measured[name].value, measured[name].high))


def threshold_at_bpcer(bona_fide: ArrayLike, target: float) -> float:
    """Highest threshold whose BPCER does not exceed the target."""
    return threshold_rejecting(bona_fide, target, BONA_FIDE)


def threshold_at_apcer(scores: ArrayLike, species: ArrayLike, target: float) -> float:
    """Lowest threshold at which no species' APCER exceeds the target.

    With a target of 5 % the BPCER there is BPCER20, with 1 % it is BPCER100.
    """
    return max(
        threshold_accepting(values, target, name) for name, values in by_species(scores, species).items()
    )


def non_response_rate(responded: ArrayLike, confidence: float = 0.95) -> Rate:
    """Share of presentations without a response: APNRR over attacks, BPNRR over bona fide ones.

    Args:
        responded: true where the system gave an answer (a face was found, a score was made).
        confidence: level of the interval.
    """
    answered = np.asarray(responded, bool).ravel()
    return exact_rate(int((~answered).sum()), answered.size, confidence)


def iapar(pad_accepts: ArrayLike, matcher_accepts: ArrayLike, confidence: float = 0.95) -> Rate:
    """Impostor attack presentation accept rate of the whole system: attacks that pass PAD *and* matcher.

    Args:
        pad_accepts: per attack, whether attack detection took it for bona fide.
        matcher_accepts: per attack, whether it matched the person impersonated.
        confidence: level of the interval.

    Raises:
        NotMeasurableError: the lengths differ, or there is no attack.
    """
    pad, matcher = np.asarray(pad_accepts, bool).ravel(), np.asarray(matcher_accepts, bool).ravel()
    if pad.size != matcher.size or pad.size == 0:
        raise NotMeasurableError(
            f"{pad.size} PAD and {matcher.size} matcher decisions", "give one of each for every attack"
        )
    return exact_rate(int((pad & matcher).sum()), pad.size, confidence)


def fuse_clips(scores: ArrayLike, clips: ArrayLike) -> tuple[NDArray[np.object_], Scores]:
    """One score per clip, the mean over its frames, so that rates can be stated per clip and per frame.

    Returns:
        Sorted clip ids and their scores.
    """
    values = checked(scores, "frame").astype(np.float64)
    names, code = np.unique(np.asarray(clips), return_inverse=True)
    return names, np.bincount(code, values) / np.bincount(code)

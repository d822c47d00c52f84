"""Many weak answers make a strong one: evidence added up over a track, with an early end.

Each frame's score is a log-likelihood ratio (bona fide against attack). Were the frames independent, the sum
would be the evidence, and Wald's sequential test would end as soon as the sum leaves a corridor. Frames of one
track are anything but independent: with correlation r between any two, n of them are worth n / (1 + (n - 1) r).
The mean is multiplied by that worth, so that a thousand frames of one still photograph never become certainty.

Paper: Wald, *Sequential Tests of Statistical Hypotheses*, Annals of Mathematical Statistics 1945.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facegate.runtime.models import mean_direction
from facegate.runtime.policy import Verdict


@dataclass(frozen=True)
class FusionParams:
    """When evidence suffices.

    Attributes:
        attack_accepted: accepted probability of letting an attack in (Wald's alpha).
        bona_fide_rejected: accepted probability of turning a live person away (Wald's beta).
        correlation: between the evidence of two frames of a track, 0 to 1. Measured on rendered clips: 0.80 to 0.87 for
            live people, prints and screens (docs/kiosk.md).
        limit: greatest evidence that one frame may give, in natural-log units; one model error must not decide.
        least_frames: frames before which nothing is decided.
        most_frames: frames after which an open question ends in a retry.
    """

    attack_accepted: float = 0.05
    bona_fide_rejected: float = 0.05
    correlation: float = 0.8
    limit: float = 4.0
    least_frames: int = 6
    most_frames: int = 30

    @property
    def upper(self) -> float:
        """Evidence at which a face is accepted."""
        return math.log((1 - self.bona_fide_rejected) / self.attack_accepted)

    @property
    def lower(self) -> float:
        """Evidence at which a face is rejected; negative."""
        return math.log(self.bona_fide_rejected / (1 - self.attack_accepted))


@dataclass(frozen=True, eq=False)
class Probe:
    """Who a track shows, by the mean of its frames' embeddings: what one frame gets wrong by chance, others do not.

    Crops are kept until somebody asks: an attack is turned away before the recogniser has seen it.

    Attributes:
        crops: aligned faces that the recogniser has not seen yet, each (height, width, 3).
        total: sum of the embeddings of those that it has, shape (size,); None before the first.
    """

    crops: tuple[NDArray[np.uint8], ...] = ()
    total: NDArray[np.float32] | None = None

    def add(self, crop: NDArray[np.uint8]) -> "Probe":
        """Take in the face of one frame."""
        return replace(self, crops=(*self.crops, crop))

    def asked(self, embed: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> "Probe":
        """With nothing left to ask; an embedding that is no number is left out.

        Args:
            embed: crops, shape (n, height, width, 3), into embeddings of unit length, shape (n, size).
        """
        if not self.crops:
            return self
        found = embed(np.stack(self.crops))
        good = found[np.isfinite(found).all(axis=1)]
        if not len(good):
            return Probe((), self.total)
        return Probe((), good.sum(axis=0) if self.total is None else self.total + good.sum(axis=0))

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Of unit length, shape (size,), by the faces that were asked about; None where none gave one."""
        return None if self.total is None else mean_direction(self.total[None])[0]


@dataclass(frozen=True)
class Evidence:
    """What a track has shown so far.

    Attributes:
        total: sum of the frames' evidence, each within the limit.
        frames: how many frames gave evidence.
        aside: evidence from elsewhere (a blink, motion), taken as independent of the frames.
    """

    total: float = 0.0
    frames: int = 0
    aside: float = 0.0

    def add(self, llr: float, params: FusionParams) -> "Evidence":
        """Take in one frame's log-likelihood ratio; one that is no number is left out."""
        if math.isnan(llr):
            return self
        bounded = max(-params.limit, min(params.limit, llr))
        return replace(self, total=self.total + bounded, frames=self.frames + 1)

    def add_aside(self, llr: float, params: FusionParams) -> "Evidence":
        """Take in a weak independent hint; all hints together stay within the limit."""
        return replace(self, aside=max(-params.limit, min(params.limit, self.aside + llr)))

    def llr(self, params: FusionParams) -> float:
        """Evidence of the whole track, correlation allowed for."""
        if not self.frames:
            return self.aside
        worth = self.frames / (1 + (self.frames - 1) * params.correlation)
        return self.total / self.frames * worth + self.aside

    def verdict(self, params: FusionParams, consent: bool = True) -> Verdict | None:
        """Accept or reject as soon as the evidence suffices, retry when time is up; None while it is open.

        Args:
            params: bounds, and how many frames there may be.
            consent: whether all others who must agree to acceptance do.
        """
        if self.frames < params.least_frames:
            return None
        value = self.llr(params)
        if value >= params.upper and consent:
            return Verdict.ACCEPT
        if value <= params.lower:
            return Verdict.REJECT
        return Verdict.RETRY if self.frames >= params.most_frames else None

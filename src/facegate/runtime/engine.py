"""A picture in, a decision for every face in it out: detect → quality → spoof → embed → match.

The engine never fails on an ordinary picture: a face that cannot be judged is a *retry* with its reason. The
cheap questions come first, and the recogniser only sees faces that passed them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from facegate.errors import PictureError
from facegate.faces.detect import Detector, Face
from facegate.faces.quality import Quality, QualityLimits, assess
from facegate.runtime.models import Decision, Recogniser, SpoofJudge
from facegate.runtime.policy import Verdict


class Reason(StrEnum):
    """Why a face was not simply accepted; quality issues add their own names."""

    UNREADABLE = "unreadable"
    SPOOF = "spoof"
    UNKNOWN = "unknown_person"
    NO_ANSWER = "no_answer"
    UNDECIDED = "undecided"


class Match(NamedTuple):
    """The best candidate of a gallery.

    Attributes:
        person: identifier of the person.
        score: comparison score, higher is more alike.
    """

    person: str
    score: float


class Gallery(Protocol):
    """Whom the engine knows."""

    def search(self, embedding: NDArray[np.float32]) -> Match | None:
        """The person whose template is most alike; None if nobody is enrolled."""
        ...


@dataclass(frozen=True, eq=False)
class FaceResult:
    """What became of one face.

    Attributes:
        face: where it is.
        verdict: accept, reject, or retry.
        reasons: why it was not accepted; empty if it was.
        quality: what the gate measured; None if the face was unreadable.
        crop: the face as the recogniser sees it; None if it was unreadable.
        spoof: decision of the spoof judge; None if it was not asked.
        embedding: unit length; None if the recogniser was not asked.
        match: the best candidate; None without a gallery or before it was asked.
        identity: decision on the match.
    """

    face: Face
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    quality: Quality | None = None
    crop: NDArray[np.uint8] | None = field(default=None, repr=False)
    spoof: Decision | None = None
    embedding: NDArray[np.float32] | None = field(default=None, repr=False)
    match: Match | None = None
    identity: Decision | None = None

    def end(self, verdict: Verdict, *reasons: str) -> "FaceResult":
        """The same face with its verdict and the reasons."""
        return replace(self, verdict=verdict, reasons=reasons)

    @property
    def open(self) -> bool:
        """Nothing spoke against it so far."""
        return self.verdict is Verdict.ACCEPT


class FaceEngine:
    """Everything that one picture is put through.

    Args:
        recogniser: who is this.
        spoof: is this a live person; None skips the question.
        gallery: whom to look for; without one, faces that pass are accepted unnamed.
        detector: finds the faces; the usual one by default.
        limits: quality gate; the usual one by default.
        decide_match: decision on a gallery's best score; by default the recogniser's, which is meant for one comparison
            and grows too lenient with the gallery.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        spoof: SpoofJudge | None = None,
        gallery: Gallery | None = None,
        *,
        detector: Detector | None = None,
        limits: QualityLimits | None = None,
        decide_match: Callable[[float], Decision] | None = None,
    ) -> None:
        self.recogniser = recogniser
        self.spoof = spoof
        self.gallery = gallery
        self.detector = detector or Detector()
        self.limits = limits or QualityLimits()
        self.decide_match = decide_match or recogniser.decide

    def look(self, rgb: NDArray[np.uint8]) -> list[FaceResult]:
        """Judge every face of a picture.

        Args:
            rgb: picture, shape (height, width, 3).

        Returns:
            One result a face, the largest face first; empty if no face was found.
        """
        results = self.gate(rgb, self.detector.detect(rgb))
        return self.identify(self.judge(rgb, results))

    def gate(self, rgb: NDArray[np.uint8], faces: Sequence[Face]) -> list[FaceResult]:
        """Quality of every face; those that fail get a retry."""
        return [self._gate(rgb, face) for face in faces]

    def _gate(self, rgb: NDArray[np.uint8], face: Face) -> FaceResult:
        try:
            crop = self.recogniser.crop(rgb, face)
            quality = assess(rgb, face, self.limits, crop)
        except PictureError:
            return FaceResult(face, Verdict.RETRY, (Reason.UNREADABLE,))
        verdict = Verdict.ACCEPT if quality.good else Verdict.RETRY
        return FaceResult(face, verdict, tuple(quality.issues), quality, crop)

    def judge(self, rgb: NDArray[np.uint8], results: Sequence[FaceResult]) -> list[FaceResult]:
        """Ask the spoof judge about the faces that are still open."""
        judge = self.spoof
        if judge is None:
            return list(results)
        scores = iter(judge.score_all(rgb, [r.face for r in results if r.open]).tolist())
        return [self._spoof(r, judge.decide(next(scores))) if r.open else r for r in results]

    @staticmethod
    def _spoof(result: FaceResult, decision: Decision) -> FaceResult:
        result = replace(result, spoof=decision)
        if decision.verdict is Verdict.ACCEPT:
            return result
        reason = Reason.NO_ANSWER if decision.verdict is Verdict.RETRY else Reason.SPOOF
        return result.end(decision.verdict, reason)

    def identify(self, results: Sequence[FaceResult]) -> list[FaceResult]:
        """Ask the recogniser, and then the gallery, about the faces that are still open."""
        embeddings = iter(self.embed(results))
        return [self.search(r, next(embeddings)) if r.open else r for r in results]

    def embed(self, results: Sequence[FaceResult]) -> NDArray[np.float32]:
        """Embeddings of the faces that are still open, in order, shape (n, size)."""
        crops = [r.crop for r in results if r.open and r.crop is not None]
        return self.recogniser.embed_crops(np.stack(crops)) if crops else np.empty((0, 0), np.float32)

    def search(self, result: FaceResult, embedding: NDArray[np.float32]) -> FaceResult:
        """Look for a face in the gallery by its embedding, of unit length, shape (size,)."""
        if not np.isfinite(embedding).all():
            return result.end(Verdict.RETRY, Reason.NO_ANSWER)
        result = replace(result, embedding=embedding)
        if self.gallery is None:
            return result
        match = self.gallery.search(embedding)
        if match is None:
            return result.end(Verdict.REJECT, Reason.UNKNOWN)
        decision = self.decide_match(match.score)
        result = replace(result, match=match, identity=decision)
        return result if decision.verdict is Verdict.ACCEPT else result.end(decision.verdict, Reason.UNKNOWN)

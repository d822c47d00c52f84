"""A camera in, one decision for every person out.

Faces are followed; the spoof judge's evidence is added up over a track until it suffices; only then is the
recogniser asked, once, on the very frame that settled it. A person is decided about, not a frame.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facegate.faces.track import Track, Tracker, TrackParams, TrackState
from facegate.runtime.engine import FaceEngine, FaceResult, Reason
from facegate.runtime.fusion import Evidence, FusionParams
from facegate.runtime.policy import Verdict


@dataclass(frozen=True, eq=False)
class TrackResult:
    """Where a person stands.

    Attributes:
        id: number of the track.
        state: of the track.
        last: what became of the face in the newest frame that shows it.
        evidence: for a live person, so far.
        tries: how often the recogniser was asked.
        decision: the settled result of the track; None while the question is open.
    """

    id: int
    state: TrackState
    last: FaceResult
    evidence: Evidence = field(default_factory=Evidence)
    tries: int = 0
    decision: FaceResult | None = None

    @property
    def final(self) -> bool:
        """Whether the decision stands for the rest of the track; a retry does not."""
        return self.decision is not None and self.decision.verdict is not Verdict.RETRY


class StreamEngine:
    """Follows the faces of one camera and decides once for each.

    A person who is not known gets a few more frames before that is final. A question that stays open ends in a
    retry, and evidence is gathered afresh. A rejected track stays rejected until the face has left.

    Args:
        engine: what each face is put through; its spoof judge must be calibrated.
        fusion: when evidence suffices.
        tracking: how tracks live and die.
        identity_tries: frames in which an unknown person is looked up.

    Raises:
        ValueError: the engine has no spoof judge, or one that is not calibrated.
    """

    def __init__(
        self,
        engine: FaceEngine,
        fusion: FusionParams | None = None,
        tracking: TrackParams | None = None,
        identity_tries: int = 3,
    ) -> None:
        if engine.spoof is None or engine.spoof.policy.llr(0.0) is None:
            raise ValueError("a stream adds up evidence, which needs a calibrated spoof judge")
        self.engine = engine
        self.fusion = fusion or FusionParams()
        self.identity_tries = identity_tries
        self._tracker = Tracker(tracking or TrackParams())
        self._known: dict[int, TrackResult] = {}

    def look(self, rgb: NDArray[np.uint8], now_s: float) -> list[TrackResult]:
        """Take in one frame.

        Args:
            rgb: frame, shape (height, width, 3).
            now_s: its time, seconds; later than the one before.

        Returns:
            All tracks, oldest first, those that ended in this frame for the last time.

        Raises:
            ValueError: time stands still or runs backwards.
        """
        tracks = self._tracker.update(self.engine.detector.detect(rgb), now_s)
        results = [self._advance(rgb, track, track.seen(now_s)) for track in tracks]
        self._known = {result.id: result for result in results if result.state is not TrackState.ENDED}
        return results

    def _advance(self, rgb: NDArray[np.uint8], track: Track, seen: bool) -> TrackResult:
        known = self._known.get(track.id)
        if known and not seen:
            return replace(known, state=track.state)
        if known and known.decision and known.final:
            return replace(known, state=track.state, last=replace(known.decision, face=track.face))
        (gated,) = self.engine.gate(rgb, [track.face])
        before = known or TrackResult(track.id, track.state, gated)
        result = replace(before, state=track.state, last=gated)
        return self._weigh(rgb, result) if gated.open else result

    def _weigh(self, rgb: NDArray[np.uint8], result: TrackResult) -> TrackResult:
        (face,) = self.engine.judge(rgb, [result.last])
        llr = face.spoof.llr if face.spoof else None
        evidence = result.evidence.add(float("nan") if llr is None else llr, self.fusion)
        result = replace(result, last=face, evidence=evidence)
        verdict = evidence.verdict(self.fusion)
        if verdict is Verdict.ACCEPT:
            return self._identify(result)
        if verdict is Verdict.REJECT:
            return replace(result, decision=face.end(verdict, Reason.SPOOF))
        if verdict is Verdict.RETRY:
            return replace(result, evidence=Evidence(), decision=face.end(verdict, Reason.UNDECIDED))
        return result

    def _identify(self, result: TrackResult) -> TrackResult:
        (face,) = self.engine.identify([replace(result.last, verdict=Verdict.ACCEPT, reasons=())])
        result = replace(result, last=face, tries=result.tries + 1)
        if face.verdict is Verdict.ACCEPT or result.tries >= self.identity_tries:
            return replace(result, decision=face)
        return result

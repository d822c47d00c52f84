"""A camera in, one decision for every person out.

Faces are followed; the spoof judge's evidence is added up over a track until it suffices; only then is the gallery
asked, by the mean of what the recogniser said of the frames so far. A person is decided about, not a frame.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facegate.errors import PictureError
from facegate.faces.detect import Face
from facegate.faces.track import Track, Tracker, TrackParams, TrackState
from facegate.runtime.engine import FaceEngine, FaceResult, Reason
from facegate.runtime.fusion import Evidence, FusionParams, Probe
from facegate.runtime.models import Decision
from facegate.runtime.policy import Verdict


class ClipEvidence(Protocol):
    """A model that judges the newest seconds of one track as a whole."""

    def add(self, rgb: NDArray[np.uint8], face: Face, now_s: float) -> None:
        """Take in one frame.

        Raises:
            PictureError: the face cannot be cropped.
        """
        ...

    def decide(self) -> Decision | None:
        """Decision on what is held; None while there are too few frames."""
        ...


@dataclass(frozen=True, eq=False)
class TrackResult:
    """Where a person stands.

    Attributes:
        id: number of the track.
        state: of the track.
        last: what became of the face in the newest frame that shows it.
        evidence: for a live person, so far.
        probe: who the frames so far show.
        tries: how often the gallery was asked.
        decision: the settled result of the track; None while the question is open.
        clip: of the liveness model on the newest frames; None without one, or while they are too few.
    """

    id: int
    state: TrackState
    last: FaceResult
    evidence: Evidence = field(default_factory=Evidence)
    probe: Probe = field(default_factory=Probe)
    tries: int = 0
    decision: FaceResult | None = None
    clip: Decision | None = None

    @property
    def final(self) -> bool:
        """Whether the decision stands for the rest of the track; a retry does not."""
        return self.decision is not None and self.decision.verdict is not Verdict.RETRY


class StreamEngine:
    """Follows the faces of one camera and decides once for each.

    A person who is not known gets a few more frames before that is final. Whether a face lives may stay open: it ends in
    a retry, and evidence is gathered afresh, or in ``unknown`` where nobody known looks like it. A rejected track stays
    rejected until the face has left.

    Args:
        engine: what each face is put through; its spoof judge must be calibrated.
        fusion: when evidence suffices.
        tracking: how tracks live and die.
        identity_tries: frames in which an unknown person is looked up.
        clips: makes the judge of one track's clip. It sees what the frames' judge sees, so that its agreement is no
            evidence of its own; its newest answer counts where it speaks against a live person, within the limit of
            one frame, and nobody is accepted whom it does not accept at its own operating point.

    Raises:
        ValueError: the engine has no spoof judge, or one that is not calibrated.
    """

    def __init__(
        self,
        engine: FaceEngine,
        fusion: FusionParams | None = None,
        tracking: TrackParams | None = None,
        identity_tries: int = 3,
        clips: Callable[[], ClipEvidence] | None = None,
    ) -> None:
        if engine.spoof is None or engine.spoof.policy.llr(0.0) is None:
            raise ValueError("a stream adds up evidence, which needs a calibrated spoof judge")
        self.engine = engine
        self.fusion = fusion or FusionParams()
        self.identity_tries = identity_tries
        self.clips = clips
        self._clips: dict[int, ClipEvidence] = {}
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
        self._clips = {id_: clip for id_, clip in self._clips.items() if id_ in self._known}
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
        return self._weigh(rgb, self._filmed(rgb, track, result)) if gated.open else result

    def _filmed(self, rgb: NDArray[np.uint8], track: Track, result: TrackResult) -> TrackResult:
        """Ask the judge of clips, if there is one."""
        if self.clips is None:
            return result
        clip = self._clips.get(track.id) or self._clips.setdefault(track.id, self.clips())
        try:
            clip.add(rgb, track.face, track.last_s)
        except PictureError:
            return result
        decision = clip.decide()
        llr = decision.llr if decision else None
        if decision is None or llr is None or llr != llr:
            return replace(result, clip=decision)
        aside = replace(result.evidence, aside=0.0).add_aside(min(llr, 0.0), self.fusion)
        return replace(result, clip=decision, evidence=aside)

    def _weigh(self, rgb: NDArray[np.uint8], result: TrackResult) -> TrackResult:
        if result.last.crop is not None:
            result = replace(result, probe=result.probe.add(result.last.crop))
        (face,) = self.engine.judge(rgb, [result.last])
        llr = face.spoof.llr if face.spoof else None
        evidence = result.evidence.add(float("nan") if llr is None else llr, self.fusion)
        result = replace(result, last=face, evidence=evidence)
        verdict = evidence.verdict(self.fusion, self._clip_accepts(result))
        if verdict is Verdict.ACCEPT:
            return self._identify(result)
        if verdict is Verdict.REJECT:
            return replace(result, decision=face.end(verdict, Reason.SPOOF))
        return self._time_up(result) if verdict is Verdict.RETRY else result

    def _time_up(self, result: TrackResult) -> TrackResult:
        """Ask a face to try again, unless it is nobody's who is known: then whether it lives changes nothing."""
        looked_up = self._identify(result)
        if looked_up.decision is None or looked_up.decision.reasons == (Reason.UNKNOWN,):
            return looked_up
        again = result.last.end(Verdict.RETRY, Reason.UNDECIDED)
        return replace(result, evidence=Evidence(), probe=Probe(), tries=0, decision=again)

    def _clip_accepts(self, result: TrackResult) -> bool:
        """Whether the judge of clips is content, or there is none."""
        return self.clips is None or (result.clip is not None and result.clip.verdict is Verdict.ACCEPT)

    def _identify(self, result: TrackResult) -> TrackResult:
        asked = replace(result.last, verdict=Verdict.ACCEPT, reasons=())
        probe = result.probe.asked(self.engine.recogniser.embed_crops)
        who = probe.embedding
        face = asked.end(Verdict.RETRY, Reason.NO_ANSWER) if who is None else self.engine.search(asked, who)
        result = replace(result, last=face, probe=probe, tries=result.tries + 1)
        if face.verdict is Verdict.ACCEPT or result.tries >= self.identity_tries:
            return replace(result, decision=face)
        return result

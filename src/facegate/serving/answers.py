"""From what the engine found to what goes over the wire; pure, so that every route says it the same way."""

import math
from collections.abc import Callable

from facegate.faces.detect import Face
from facegate.faces.quality import Quality
from facegate.runtime.engine import FaceResult
from facegate.runtime.fusion import FusionParams
from facegate.runtime.models import Decision
from facegate.runtime.policy import Verdict
from facegate.runtime.stream import TrackResult
from facegate.serving.hints import hints
from facegate.serving.schemas.faces import (
    Box,
    DecisionOut,
    DetectedFace,
    FaceAnswer,
    ModelRef,
    PersonRef,
    QualityOut,
)
from facegate.serving.schemas.stream import TrackAnswer
from facegate.serving.served import Served

NameOf = Callable[[str], str]


def model_ref(served: Served) -> ModelRef:
    """What answered."""
    release = served.release
    return ModelRef(
        release=release.name,
        digest=release.digest[:12],
        production=release.production,
        synthetic=release.synthetic,
    )


def box(face: Face) -> Box:
    """Rectangle of a face."""
    x, y, width, height = (round(float(value), 1) for value in face.box)
    return Box(x=x, y=y, width=width, height=height)


def landmarks(face: Face) -> tuple[tuple[float, float], ...]:
    """Five points of a face."""
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in face.landmarks)


def quality(measured: Quality | None) -> QualityOut | None:
    """What the gate measured."""
    if measured is None:
        return None
    return QualityOut(
        eye_distance=round(measured.eye_distance, 1),
        sharpness=round(measured.sharpness, 4),
        brightness=round(measured.brightness, 1),
        contrast=round(measured.contrast, 2),
        yaw=round(measured.pose.yaw, 1),
        pitch=round(measured.pose.pitch, 1),
        roll=round(measured.pose.roll, 1),
        visible=round(measured.visible, 3),
        issues=tuple(measured.issues),
    )


def decision(made: Decision | None) -> DecisionOut | None:
    """A score with what it was held against; JSON has no NaN, so no number becomes null."""
    if made is None:
        return None
    llr = made.llr if made.llr is not None and math.isfinite(made.llr) else None
    return DecisionOut(
        verdict=made.verdict,
        score=made.score if math.isfinite(made.score) else None,
        llr=llr,
        threshold=made.threshold,
        operating_point=made.operating_point,
    )


def detected(result: FaceResult) -> DetectedFace:
    """A face with its quality."""
    return DetectedFace(
        box=box(result.face),
        landmarks=landmarks(result.face),
        confidence=round(result.face.score, 4),
        quality=quality(result.quality),
        hints=hints(result.reasons),
    )


def person(result: FaceResult, name_of: NameOf) -> PersonRef | None:
    """Who it is, if that was settled."""
    if result.verdict is not Verdict.ACCEPT or result.match is None:
        return None
    return PersonRef(id=result.match.person, name=name_of(result.match.person))


def face(result: FaceResult, name_of: NameOf) -> FaceAnswer:
    """What became of one face."""
    return FaceAnswer(
        box=box(result.face),
        landmarks=landmarks(result.face),
        confidence=round(result.face.score, 4),
        verdict=result.verdict,
        reasons=tuple(result.reasons),
        hints=hints(result.reasons),
        quality=quality(result.quality),
        spoof=decision(result.spoof),
        identity=decision(result.identity),
        person=person(result, name_of),
    )


def track(result: TrackResult, name_of: NameOf, fusion: FusionParams) -> TrackAnswer:
    """Where a person stands."""
    settled = result.decision
    shown = settled or result.last
    reasons = shown.reasons if settled or result.last.verdict is Verdict.RETRY else ()
    return TrackAnswer(
        id=result.id,
        state=result.state,
        box=box(result.last.face),
        frames=result.evidence.frames,
        llr=round(result.evidence.llr(fusion), 3),
        verdict=settled.verdict if settled else None,
        final=result.final,
        reasons=tuple(reasons),
        hints=hints(reasons if reasons or settled else ("looking",)),
        person=person(settled, name_of) if settled else None,
        spoof=decision(result.last.spoof),
        identity=decision(shown.identity),
    )

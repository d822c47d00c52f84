"""Clips and streams: where each person stands, and the messages of the WebSocket ``/v1/stream``.

The client's first message is a JSON text, :class:`Hello`; the service answers :class:`Ready` or
:class:`StreamProblem` and closes. Every later message of the client is binary: eight bytes, the frame's time in
seconds as a big-endian IEEE double, then one JPEG. Each gets one :class:`FrameAnswer`.
"""

from typing import Literal

from pydantic import Field

from facegate.faces.track import TrackState
from facegate.runtime.policy import Verdict
from facegate.serving.schemas import Wire
from facegate.serving.schemas.faces import (
    ANSWER,
    FACE,
    LIVE,
    MODEL,
    PERSON,
    SAME,
    Box,
    DecisionOut,
    FaceAnswer,
    Hint,
    ModelRef,
    PersonRef,
    example,
)

TRACK = {
    "id": 1, "state": "confirmed", "box": FACE["box"], "frames": 4, "llr": 5.1, "verdict": "accept",
    "final": True, "reasons": [], "hints": [], "person": PERSON, "spoof": LIVE, "identity": SAME,
}  # fmt: skip


class TrackAnswer(Wire):
    """Where one person stands."""

    id: int = Field(description="number of the track, from 1; a person who leaves and returns gets a new one")
    state: TrackState
    box: Box
    frames: int = Field(description="frames that gave evidence")
    llr: float = Field(description="evidence for a live person so far, natural-log likelihood ratio")
    verdict: Verdict | None = Field(description="null while the question is open")
    final: bool = Field(description="the decision stands for the rest of the track")
    reasons: tuple[str, ...]
    hints: tuple[Hint, ...]
    person: PersonRef | None = Field(description="who it is; only with verdict accept")
    spoof: DecisionOut | None = Field(description="of the newest frame")
    identity: DecisionOut | None


class LivenessAnswer(Wire):
    """What a clip shows: one decision a person, from all its frames."""

    model_config = example({"model": MODEL, "frames": 12, "seconds": 1.1, "tracks": [TRACK], "clip": None})
    model: ModelRef
    frames: int = Field(description="frames that were looked at")
    seconds: float = Field(description="from the first frame to the last")
    tracks: tuple[TrackAnswer, ...]
    clip: DecisionOut | None = Field(description="of the liveness model; null if the release has none")


class Hello(Wire):
    """First message of a stream."""

    model_config = example(
        {"type": "hello", "key": "fg_…", "camera": "front-door", "session": "", "mark": True}
    )
    type: Literal["hello"] = "hello"
    key: str = Field(description="API key of role kiosk or above", max_length=200)
    camera: str = Field(
        default="default", description="name of the camera", pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    session: str = Field(default="", description="id of an attendance session; empty for none", max_length=64)
    mark: bool = Field(default=True, description="mark accepted people as present")


class Ready(Wire):
    """The stream is open."""

    type: Literal["ready"] = "ready"
    model: ModelRef
    max_fps: float = Field(description="frames beyond this are dropped")
    max_bytes: int = Field(description="largest message")


class Marked(Wire):
    """Somebody was marked present by this frame."""

    track: int
    person: PersonRef
    at: str = Field(description="ISO 8601, UTC")
    repeated: bool = Field(description="was present already within the de-duplication window")


class FrameAnswer(Wire):
    """Answer to one frame."""

    model_config = example(
        {
            "type": "frame", "time": 12.48, "width": 640, "height": 480, "status": "seen", "tracks": [TRACK],
            "marked": [{"track": 1, "person": PERSON, "at": "2030-01-31T08:00:00Z", "repeated": False}],
            "hints": [],
        }
    )  # fmt: skip
    type: Literal["frame"] = "frame"
    time: float = Field(description="as the client gave it")
    width: int
    height: int
    status: Literal["seen", "dropped", "repeated", "late", "unreadable"] = Field(
        description="seen: judged; dropped: too many frames or the service is busy; repeated: the very bytes of an "
        "earlier frame; late: time did not grow; unreadable: no picture. Only seen frames are evidence."
    )
    tracks: tuple[TrackAnswer, ...]
    marked: tuple[Marked, ...] = ()
    hints: tuple[Hint, ...] = Field(
        default=(), description="for nobody in particular: no face, image stands still"
    )


class StreamProblem(Wire):
    """Why the stream was refused or ends; the connection is closed after it."""

    type: Literal["problem"] = "problem"
    status: int
    title: str
    detail: str
    remedy: str = ""


class MarkAnswer(Wire):
    """A picture was looked at and everybody accepted in it marked present."""

    model_config = example(
        {
            "model": MODEL, "width": 640, "height": 480, "faces": [ANSWER],
            "marked": [{"track": 0, "person": PERSON, "at": "2030-01-31T08:00:00Z", "repeated": False}],
        }
    )  # fmt: skip
    model: ModelRef
    width: int
    height: int
    faces: tuple[FaceAnswer, ...]
    marked: tuple[Marked, ...] = Field(description="`track` is the number of the face, from 0")

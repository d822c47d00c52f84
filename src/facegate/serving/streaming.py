"""One camera's stream: frames in, where each person stands out, attendance marked once a track is settled."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facegate.errors import FacegateError, PictureError
from facegate.faces.track import TrackState
from facegate.runtime.engine import FaceResult
from facegate.runtime.policy import Verdict
from facegate.runtime.stream import StreamEngine, TrackResult
from facegate.serving import answers
from facegate.serving.freshness import Frame, Freshness
from facegate.serving.hints import hints
from facegate.serving.marking import mark_accepted
from facegate.serving.problems import ProblemError
from facegate.serving.schemas.stream import FrameAnswer, Hello, Marked
from facegate.serving.served import Served
from facegate.serving.service import Service
from facegate.serving.uploads import decode

STILL = 10
"""Repeated frames in a row after which somebody is told."""
AGAIN_S = 30.0
"""A person who stays is marked again after that, so that the time last seen is true."""
SLOT_WAIT_S = 1.0


@dataclass
class _Told:
    """What was done about one track."""

    settled: bool = False
    marked_at: float | None = None


@dataclass
class CameraStream:
    """The stream of one camera; used by one thread at a time.

    Attributes:
        service: what judges and keeps.
        hello: what the client said at first.
        key: identifier of its key.
        clock: seconds that never run back.
    """

    service: Service
    hello: Hello
    key: str
    clock: Callable[[], float] = time.monotonic
    _served: Served | None = None
    _engine: StreamEngine | None = None
    _told: dict[int, _Told] = field(default_factory=dict)
    _last: tuple[TrackResult, ...] = ()
    _size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.freshness = Freshness(self.service.settings.max_fps, self.clock)
        self._follow(self.service.production.current)

    def frame(self, frame: Frame) -> FrameAnswer:
        """Take in one frame.

        Raises:
            ProblemError: the release in production changed to one that cannot judge streams.
        """
        status: str = self.freshness.judge(frame)
        marked: tuple[Marked, ...] = ()
        if status == "seen":
            status, marked = self._look(frame)
        self.service.metrics.frame(status)
        if status in ("late", "repeated"):
            self.service.metrics.suspicion(status)
        return self._answer(frame.time, status, marked)

    def _look(self, frame: Frame) -> tuple[str, tuple[Marked, ...]]:
        settings = self.service.settings
        try:
            with self.service.slots.one(SLOT_WAIT_S):
                self._follow(self.service.production.current)
                assert self._engine is not None
                rgb = decode(frame.data, settings.max_pixels)
                self._last = tuple(self._engine.look(rgb, frame.time))
        except PictureError:
            return "unreadable", ()
        except ProblemError as problem:
            if problem.status in (413, 422):
                return "unreadable", ()
            if problem.status == 503:
                return "dropped", ()
            raise
        self._size = (rgb.shape[1], rgb.shape[0])
        return "seen", self._act(rgb)

    def _follow(self, served: Served) -> None:
        """Begin the tracks anew when another release took over: evidence of two models is not added up."""
        if served is self._served:
            return
        try:
            self._engine = served.stream()
        except ValueError as error:
            remedy = "put a release with a calibrated spoof model into production"
            raise ProblemError(409, f"{served.release.name}: {error}", remedy) from error
        self._served, self._told, self._last = served, {}, ()

    def _act(self, rgb: NDArray[np.uint8]) -> tuple[Marked, ...]:
        """Mark and note what was settled; forget what has ended."""
        marked = []
        now = self.clock()
        for track in self._last:
            told = self._told.setdefault(track.id, _Told())
            if track.decision is not None and track.final:
                done = self._settle(rgb, track, track.decision, told, now)
                marked += [done] if done is not None else []
            if track.state is TrackState.ENDED:
                self._told.pop(track.id, None)
        return tuple(marked)

    def _settle(
        self, rgb: NDArray[np.uint8], track: TrackResult, decision: FaceResult, told: _Told, now: float
    ) -> Marked | None:
        if not told.settled:
            told.settled = True
            self.service.watch(rgb, [decision], self.hello.camera)
            if self.hello.mark:
                told.marked_at = now
                return self._mark(decision, track.id)
        accepted = decision.verdict is Verdict.ACCEPT and track.state is TrackState.CONFIRMED
        if accepted and told.marked_at is not None and now - told.marked_at >= AGAIN_S:
            told.marked_at = now
            return self._mark(decision, track.id)
        return None

    def _mark(self, decision: FaceResult, track: int) -> Marked | None:
        hello = self.hello
        try:
            return mark_accepted(self.service, decision, track, hello.camera, hello.session, self.key)
        except FacegateError as error:  # the person was deleted, the session is over, the database is away
            raise ProblemError(409, error.problem, error.remedy) from error

    def _answer(self, at: float, status: str, marked: tuple[Marked, ...]) -> FrameAnswer:
        assert self._engine is not None
        codes = ["still_picture"] if self.freshness.still >= STILL else []
        if status == "seen" and not self._last:
            codes.append("no_face")
        fusion, name_of = self._engine.fusion, self.service.name_of
        return FrameAnswer(
            time=at,
            width=self._size[0],
            height=self._size[1],
            status=status,  # pyright: ignore[reportArgumentType]  # one of the words of the schema
            tracks=tuple(answers.track(track, name_of, fusion) for track in self._last),
            marked=marked,
            hints=hints(codes),
        )

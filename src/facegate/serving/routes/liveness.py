"""Is somebody in this clip alive: all frames of a person added up, nobody looked up."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from facegate.runtime.engine import Reason
from facegate.runtime.models import Decision
from facegate.runtime.policy import Verdict
from facegate.runtime.stream import StreamEngine, TrackResult
from facegate.serving import answers
from facegate.serving.clips import TimedFrame, film_frames
from facegate.serving.problems import ProblemError, documented
from facegate.serving.routes import Kiosk, ServiceHere
from facegate.serving.schemas.stream import LivenessAnswer
from facegate.serving.served import Served
from facegate.serving.service import Service
from facegate.serving.uploads import decode, read_bytes

router = APIRouter(prefix="/v1", tags=["pictures"], responses=documented(401, 403, 409, 413, 422, 429, 503))
LEAST_FRAMES = 2


@router.post("/liveness")
def liveness(
    service: ServiceHere,
    _: Kiosk,
    clip: Annotated[UploadFile | None, File(description="MP4, WebM or AVI")] = None,
    frames: Annotated[
        list[UploadFile] | None, File(description="pictures in order, instead of a clip")
    ] = None,
    times: Annotated[list[float] | None, Form(description="time of each frame, seconds, growing")] = None,
) -> LivenessAnswer:
    """Judge for every person of a clip whether it is a live one, from all frames together."""
    if (clip is None) == (not frames):
        raise ProblemError(
            422, "either `clip` or `frames` is needed", "send a film, or pictures with their times"
        )
    timed = _film(service, clip) if clip is not None else _pictures(service, frames or [], times or [])
    with service.slots.one():
        served = service.production.current
        seen, tracks, engine = _follow(served, timed)
    if len(seen) < LEAST_FRAMES:
        raise ProblemError(422, f"{len(seen)} frames can be read", f"send at least {LEAST_FRAMES}")
    return LivenessAnswer(
        model=answers.model_ref(served),
        frames=len(seen),
        seconds=round(seen[-1] - seen[0], 3),
        tracks=tuple(answers.track(_closed(one), lambda _: "", engine.fusion) for one in tracks),
        clip=answers.decision(_longest_clip(tracks)),
    )


def _follow(
    served: Served, timed: Iterable[TimedFrame]
) -> tuple[list[float], list[TrackResult], StreamEngine]:
    """Times of the frames, and the last word on every track."""
    try:
        stream = served.stream(named=False)
    except ValueError as error:
        raise ProblemError(
            409, str(error), "put a release with a calibrated spoof model into production"
        ) from error
    seen: list[float] = []
    tracks: dict[int, TrackResult] = {}
    for at, rgb in timed:
        seen.append(at)
        tracks |= {result.id: result for result in stream.look(rgb, at)}
    return seen, list(tracks.values()), stream


def _longest_clip(tracks: list[TrackResult]) -> Decision | None:
    """What the liveness model said of whoever was seen in most frames."""
    judged = [track for track in tracks if track.clip is not None]
    return max(judged, key=lambda track: track.evidence.frames).clip if judged else None


def _closed(result: TrackResult) -> TrackResult:
    """The clip is over: a question still open is a retry."""
    if result.decision is not None:
        return result
    reasons = result.last.reasons if result.last.verdict is Verdict.RETRY else (Reason.UNDECIDED,)
    return replace(result, decision=result.last.end(Verdict.RETRY, *reasons))


def _film(service: Service, clip: UploadFile) -> Iterator[TimedFrame]:
    settings = service.settings
    return film_frames(
        read_bytes(clip, settings.max_bytes),
        seconds=settings.clip_s,
        max_fps=settings.max_fps,
        max_pixels=settings.max_pixels,
    )


def _pictures(service: Service, frames: list[UploadFile], times: list[float]) -> Iterator[TimedFrame]:
    settings = service.settings
    if len(frames) > settings.max_pictures:
        raise ProblemError(
            413, f"{len(frames)} frames; at most {settings.max_pictures} are taken", "send a clip"
        )
    if len(times) != len(frames):
        raise ProblemError(
            422, f"{len(frames)} frames and {len(times)} times", "send one time for each frame"
        )
    growing = all(a < b for a, b in pairwise(times))
    if not growing or not all(abs(at) < 1e9 for at in times):
        raise ProblemError(422, "the times do not grow", "send the frames in order, with times in seconds")
    for at, frame in zip(times, frames, strict=True):
        yield at, decode(read_bytes(frame, settings.max_bytes), settings.max_pixels)

"""Who was present: mark from a picture or by hand, ask by day, person or session, export, correct."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import StreamingResponse

from facegate.serving import answers
from facegate.serving.marking import mark_accepted
from facegate.serving.problems import ProblemError, documented
from facegate.serving.routes import Kiosk, Operator, ServiceHere
from facegate.serving.routes.pictures import Camera, Picture
from facegate.serving.schemas.records import (
    Correction,
    ManualMark,
    Presence,
    PresenceList,
    SessionNew,
    SessionOut,
)
from facegate.serving.schemas.stream import MarkAnswer
from facegate.serving.service import Service
from facegate.serving.store.export import attendance_csv
from facegate.serving.store.marks import Mark
from facegate.serving.store.sessions import Session
from facegate.serving.uploads import read_picture

router = APIRouter(prefix="/v1", tags=["attendance"], responses=documented(401, 403, 413, 422, 429, 503))
MOST_DAYS = 366
Day = Annotated[date | None, Query(description="YYYY-MM-DD; today by default")]
Until = Annotated[date | None, Query(description="last day; `day` alone by default")]
Who = Annotated[str | None, Query(max_length=64, description="identifier of a person")]
Where = Annotated[str | None, Query(max_length=64, description="identifier of a session")]
MarkId = Annotated[int, Path(ge=0, le=2**63 - 1)]


@router.post("/attendance/picture", responses=documented(404, 409))
def mark_picture(
    service: ServiceHere,
    principal: Kiosk,
    picture: Picture,
    camera: Camera = "api",
    session: Annotated[str, Form(max_length=64, description="identifier of a session; empty for none")] = "",
) -> MarkAnswer:
    """Look at a picture and mark everybody in it who is accepted."""
    with service.slots.one():
        served = service.production.current
        rgb = read_picture(picture, service.settings.max_bytes, service.settings.max_pixels)
        results = served.engine.look(rgb)
    service.watch(rgb, results, camera)
    marked = [
        mark_accepted(service, result, number, camera, session, principal.id)
        for number, result in enumerate(results)
    ]
    return MarkAnswer(
        model=answers.model_ref(served),
        width=rgb.shape[1],
        height=rgb.shape[0],
        faces=tuple(answers.face(result, service.name_of) for result in results),
        marked=tuple(one for one in marked if one is not None),
    )


@router.get("/attendance")
def show(
    service: ServiceHere,
    _: Operator,
    day: Day = None,
    until: Until = None,
    person: Who = None,
    session: Where = None,
) -> PresenceList:
    """Show who was present, from one day to another."""
    days = _days(service, day, until)
    marks = list(_marks(service, days, person, session))
    unknown = sum(
        count.seen
        for one in days
        for count in service.attendance.unknown_counts(day=one)
        if session is None or count.session_id == session
    )
    return PresenceList(rows=tuple(_shown(service, mark) for mark in marks), unknown=unknown)


@router.get(
    "/attendance.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "RFC 4180"}},
)
def export(
    service: ServiceHere,
    _: Operator,
    day: Day = None,
    until: Until = None,
    person: Who = None,
    session: Where = None,
) -> StreamingResponse:
    """The same as CSV that no spreadsheet takes for formulas."""
    days = _days(service, day, until)
    lines = attendance_csv(_marks(service, days, person, session), ZoneInfo(service.settings.timezone))
    name = f"attendance-{days[0]}-{days[-1]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


@router.post("/attendance", status_code=201, responses=documented(404, 409))
def mark_by_hand(service: ServiceHere, principal: Operator, wanted: ManualMark) -> Presence:
    """Mark somebody present by hand; who did it and why is kept."""
    mark = service.attendance.enter(
        wanted.person,
        by=f"{principal.name} ({principal.id})",
        reason=wanted.reason,
        first_seen=wanted.at or datetime.now(UTC),
        session_id=wanted.session or None,
    )
    service.journal.append("enter_mark", {"mark": mark.id, "person": mark.person_id, "key": principal.id})
    return _shown(service, mark)


@router.post("/attendance/{id}/corrections", responses=documented(404, 409))
def correct(service: ServiceHere, principal: Operator, id: MarkId, wanted: Correction) -> Presence:
    """Change or withdraw a presence; what stood there before is kept."""
    mark = service.attendance.correct(
        id,
        by=f"{principal.name} ({principal.id})",
        reason=wanted.reason,
        first_seen=wanted.first_seen,
        last_seen=wanted.last_seen,
        void=wanted.void or None,
    )
    service.journal.append("correct_mark", {"mark": mark.id, "void": mark.void, "key": principal.id})
    return _shown(service, mark)


@router.get("/sessions")
def list_sessions(
    service: ServiceHere, _: Operator, day: Annotated[date | None, Query()] = None
) -> list[SessionOut]:
    """Show the sessions that start on a day; all by default."""
    if day is not None:
        _days(service, day, None)
    return [_session(one) for one in service.attendance.sessions(day=day)]


@router.post("/sessions", status_code=201, responses=documented(409))
def create_session(service: ServiceHere, principal: Operator, wanted: SessionNew) -> SessionOut:
    """Add a lesson, shift or event."""
    made = service.attendance.create_session(
        wanted.name, starts_at=wanted.starts, ends_at=wanted.ends, session_id=wanted.id
    )
    service.journal.append("create_session", {"session": made.id, "key": principal.id})
    return _session(made)


def _days(service: Service, day: date | None, until: date | None) -> list[date]:
    first = day or datetime.now(ZoneInfo(service.settings.timezone)).date()
    last = until or first
    if not date(1970, 1, 2) <= first <= last <= date(9000, 1, 1):
        raise ProblemError(422, f"no days from {first} to {last}", "`until` must not lie before `day`")
    if (last - first).days >= MOST_DAYS:
        raise ProblemError(
            422, f"{(last - first).days + 1} days", f"ask for at most {MOST_DAYS} days at once"
        )
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _marks(service: Service, days: list[date], person: str | None, session: str | None) -> Iterator[Mark]:
    for day in days:
        yield from service.attendance.marks(day=day, person_id=person, session_id=session)


def _shown(service: Service, mark: Mark) -> Presence:
    zone = ZoneInfo(service.settings.timezone)
    return Presence(
        id=str(mark.id),
        person=mark.person_id if mark.name is not None else "",
        name=mark.name or "",
        day=mark.first_seen.astimezone(zone).date().isoformat(),
        session=mark.session_id or "",
        first_seen=mark.first_seen,
        last_seen=mark.last_seen,
        sightings=mark.sightings,
        camera=mark.camera,
        corrected=mark.corrected,
        note=_note(service, mark) if mark.corrected else "",
    )


def _note(service: Service, mark: Mark) -> str:
    trail = service.attendance.trail(mark.id)
    return trail[-1].reason if trail else ""


def _session(session: Session) -> SessionOut:
    return SessionOut(id=session.id, name=session.name, starts=session.starts_at, ends=session.ends_at)

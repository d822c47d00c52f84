"""Marks: from when to when a person was seen, sightings close in time being one mark.

A sighting joins every mark of the same person and session that lies within the window; marks that it bridges become
one. So the marks do not depend on the order in which sightings arrive. What a person corrected, no sighting changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from facegate.serving.store.errors import NotFoundError
from facegate.serving.store.schema import marks, persons


@dataclass(frozen=True)
class Mark:
    """A person was present.

    Attributes:
        id: number.
        person_id: who.
        name: as shown; None if the person is no longer enrolled.
        session_id: at what; None for none.
        first_seen: from when.
        last_seen: until when.
        camera: that first saw the person.
        sightings: how often.
        score: highest comparison score; None if a person entered the mark.
        corrected: a person changed or entered it.
        void: a person declared it wrong.
    """

    id: int
    person_id: str
    name: str | None
    session_id: str | None
    first_seen: datetime
    last_seen: datetime
    camera: str
    sightings: int
    score: float | None
    corrected: bool
    void: bool


@dataclass(frozen=True)
class Sighting:
    """A person was recognised once.

    Attributes:
        person_id: who.
        at: when.
        camera: where.
        session_id: at what.
        score: comparison score.
    """

    person_id: str
    at: datetime
    camera: str
    session_id: str | None
    score: float | None


def near(connection: Connection, seen: Sighting, window: timedelta) -> list[Mark]:
    """Marks that a sighting belongs to, in order."""
    wanted = select_marks().where(
        marks.c.person_id == seen.person_id,
        marks.c.session_id == seen.session_id,
        marks.c.first_seen <= seen.at + window,
        marks.c.last_seen >= seen.at - window,
        marks.c.void.is_(False),
    )
    rows = connection.execute(wanted.order_by(marks.c.first_seen, marks.c.id))
    return [as_mark(row) for row in rows]


def joined(found: Sequence[Mark], seen: Sighting) -> Mark:
    """What becomes of marks that one sighting belongs to; at least one."""
    corrected = next((mark for mark in found if mark.corrected), None)
    if corrected is not None:
        return replace(corrected, sightings=corrected.sightings + 1)
    first = found[0]
    scores = [s for s in (seen.score, *(mark.score for mark in found)) if s is not None]
    return replace(
        first,
        first_seen=min(first.first_seen, seen.at),
        last_seen=max(seen.at, *(mark.last_seen for mark in found)),
        camera=seen.camera if seen.at < first.first_seen else first.camera,
        sightings=1 + sum(mark.sightings for mark in found),
        score=max(scores, default=None),
    )


def record(connection: Connection, seen: Sighting, window: timedelta) -> tuple[Mark, bool]:
    """Keep a sighting; the caller has locked the person. Returns the mark, and whether it is new."""
    found = near(connection, seen, window)
    if not found:
        return insert_mark(connection, seen, seen.at, corrected=False), True
    mark = joined(found, seen)
    if not mark.corrected:
        bridged = [other.id for other in found if other.id != mark.id]
        connection.execute(delete(marks).where(marks.c.id.in_(bridged)))
    write_mark(connection, mark)
    return mark, False


def insert_mark(connection: Connection, seen: Sighting, last: datetime, *, corrected: bool) -> Mark:
    """A new mark from one sighting until a time."""
    values: dict[str, Any] = {
        "person_id": seen.person_id,
        "session_id": seen.session_id,
        "camera": seen.camera,
    }
    values |= {"first_seen": seen.at, "last_seen": last, "sightings": 0 if corrected else 1}
    values |= {"score": seen.score, "corrected": corrected, "void": False}
    number = connection.execute(insert(marks).values(values).returning(marks.c.id)).scalar_one()
    return get_mark(connection, number)


def write_mark(connection: Connection, mark: Mark) -> None:
    """Replace a mark's row."""
    values = {c.name: getattr(mark, c.name) for c in marks.c if c.name != "id"}
    connection.execute(update(marks).where(marks.c.id == mark.id).values(values))


def get_mark(connection: Connection, number: int) -> Mark:
    """One mark.

    Raises:
        NotFoundError: there is no such mark.
    """
    row = connection.execute(select_marks().where(marks.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError(f"no mark {number}", "look it up in the attendance of the day")
    return as_mark(row)


def select_marks() -> Any:
    """Marks with the names of their persons."""
    return select(marks, persons.c.name).select_from(
        marks.outerjoin(persons, persons.c.id == marks.c.person_id)
    )


def as_mark(row: Row[Any]) -> Mark:
    """A mark from a row of `select_marks`."""
    return Mark(**row._mapping)

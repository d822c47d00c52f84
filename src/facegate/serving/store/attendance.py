"""Attendance: who was present, from when to when, and how many were not known."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import delete, select

from facegate.serving.store import sessions as rows
from facegate.serving.store.columns import checked_id, to_utc, utc_now
from facegate.serving.store.corrections import Correction, correct_mark, enter_mark, trail_of
from facegate.serving.store.database import Database
from facegate.serving.store.errors import ConflictError, InvalidError
from facegate.serving.store.marks import Mark, Sighting, as_mark, record, select_marks
from facegate.serving.store.people import lock_person
from facegate.serving.store.schema import corrections, marks
from facegate.serving.store.sessions import Session
from facegate.serving.store.unknowns import UnknownCount, count_unknown, forget_unknown, unknown_counts

NO_CAMERA = "none"


@dataclass(frozen=True)
class Marked:
    """What a sighting led to.

    Attributes:
        mark: the mark it belongs to.
        new: whether the person was not yet present.
    """

    mark: Mark
    new: bool


@dataclass(frozen=True)
class DayEntry:
    """A person's day.

    Attributes:
        person_id: who.
        name: as shown; None if no longer enrolled.
        first_seen: first time of the day.
        last_seen: last time.
        marks: number of marks.
        sightings: number of sightings.
    """

    person_id: str
    name: str | None
    first_seen: datetime
    last_seen: datetime
    marks: int
    sightings: int


class Attendance:
    """Attendance kept in a database.

    Args:
        database: where.
        window: sightings of a person that are no further apart are one mark.
        zone: whose midnight divides days.
    """

    def __init__(
        self, database: Database, *, window: timedelta = timedelta(minutes=10), zone: tzinfo = UTC
    ) -> None:
        self.database = database
        self.window = window
        self.zone = zone

    def create_session(
        self,
        name: str,
        *,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Add a session; it starts now by default and stays open until it is closed.

        Raises:
            ConflictError: the identifier is taken.
            InvalidError: it ends before it starts.
        """
        return rows.create_session(self.database, name, starts_at or utc_now(), ends_at, session_id)

    def close_session(self, session_id: str, *, ends_at: datetime | None = None) -> Session:
        """End a session, now by default.

        Raises:
            NotFoundError: there is no such session.
        """
        return rows.close_session(self.database, session_id, ends_at or utc_now())

    def session(self, session_id: str) -> Session:
        """One session.

        Raises:
            NotFoundError: there is no such session.
        """
        with self.database.read() as connection:
            return rows.get_session(connection, session_id)

    def sessions(self, *, day: date | None = None) -> list[Session]:
        """Sessions that start on a day; all by default."""
        return rows.list_sessions(self.database, *(self.day_bounds(day) if day else (None, None)))

    def mark(
        self,
        person_id: str,
        *,
        at: datetime | None = None,
        camera: str = NO_CAMERA,
        session_id: str | None = None,
        score: float | None = None,
    ) -> Marked:
        """A person was recognised; on the disk when this returns.

        Raises:
            NotFoundError: there is no such person or session.
            ConflictError: the session is over.
        """
        seen = Sighting(person_id, to_utc(at or utc_now()), checked_id(camera, "camera"), session_id, score)
        with self.database.write() as connection:
            lock_person(connection, person_id)
            if session_id is not None:
                session = rows.get_session(connection, session_id)
                if session.ends_at is not None and seen.at > session.ends_at:
                    raise ConflictError(f"session `{session_id}` is over", "mark in another one, or in none")
            return Marked(*record(connection, seen, self.window))

    def count_unknown(
        self, *, at: datetime | None = None, camera: str = NO_CAMERA, session_id: str | None = None
    ) -> None:
        """A face was seen that nobody was found for; call it once a track, not once a frame."""
        place = checked_id(camera, "camera")
        with self.database.write() as connection:
            count_unknown(connection, to_utc(at or utc_now()), place, session_id)

    def unknown_counts(self, *, day: date) -> list[UnknownCount]:
        """Faces of a day that nobody was found for, by hour and camera."""
        with self.database.read() as connection:
            return unknown_counts(connection, *self.day_bounds(day))

    def marks(
        self,
        *,
        day: date | None = None,
        person_id: str | None = None,
        session_id: str | None = None,
        with_void: bool = False,
        limit: int = 10_000,
    ) -> list[Mark]:
        """Marks in the order of their begin.

        Args:
            day: begun on that day.
            person_id: of that person.
            session_id: at that session.
            with_void: those declared wrong too.
            limit: most marks.
        """
        wanted = select_marks()
        if day is not None:
            since, until = self.day_bounds(day)
            wanted = wanted.where(marks.c.first_seen >= since, marks.c.first_seen < until)
        for column, value in ((marks.c.person_id, person_id), (marks.c.session_id, session_id)):
            if value is not None:
                wanted = wanted.where(column == value)
        if not with_void:
            wanted = wanted.where(marks.c.void.is_(False))
        with self.database.read() as connection:
            found = connection.execute(wanted.order_by(marks.c.first_seen, marks.c.id).limit(limit))
            return [as_mark(row) for row in found]

    def day(self, day: date, *, session_id: str | None = None) -> list[DayEntry]:
        """Everybody who was present on a day, in the order of arrival."""
        of: dict[str, list[Mark]] = {}
        for mark in self.marks(day=day, session_id=session_id, limit=1_000_000):
            of.setdefault(mark.person_id, []).append(mark)
        return [_entry(found) for found in of.values()]

    def correct(
        self,
        mark_id: int,
        *,
        by: str,
        reason: str,
        first_seen: datetime | None = None,
        last_seen: datetime | None = None,
        person_id: str | None = None,
        void: bool | None = None,
    ) -> Mark:
        """Change a mark; who, when, why and what stood there before are kept.

        Raises:
            NotFoundError: there is no such mark or person.
            InvalidError: it makes no sense, or changes nothing.
        """
        given = {"person_id": person_id, "void": void}
        given |= {
            "first_seen": first_seen and to_utc(first_seen),
            "last_seen": last_seen and to_utc(last_seen),
        }
        changes = {name: value for name, value in given.items() if value is not None}
        with self.database.write() as connection:
            return correct_mark(connection, mark_id, changes, by=by, reason=reason)

    def enter(
        self,
        person_id: str,
        *,
        by: str,
        reason: str,
        first_seen: datetime,
        last_seen: datetime | None = None,
        session_id: str | None = None,
        camera: str = NO_CAMERA,
    ) -> Mark:
        """Add a mark by hand, with its trail.

        Raises:
            NotFoundError: there is no such person or session.
            InvalidError: it ends before it starts, or `by` or `reason` is empty.
        """
        seen = Sighting(person_id, to_utc(first_seen), checked_id(camera, "camera"), session_id, None)
        with self.database.write() as connection:
            if session_id is not None:
                rows.get_session(connection, session_id)
            last = to_utc(last_seen or first_seen)
            return enter_mark(connection, seen, last, by=by, reason=reason)

    def trail(self, mark_id: int) -> list[Correction]:
        """All corrections of a mark, oldest first."""
        with self.database.read() as connection:
            return trail_of(connection, mark_id)

    def purge(self, before: datetime) -> int:
        """Delete marks that ended, and unknowns counted, before a time; returns the number of marks."""
        old = marks.c.last_seen < to_utc(before)
        with self.database.write() as connection:
            ids = select(marks.c.id).where(old)
            connection.execute(delete(corrections).where(corrections.c.mark_id.in_(ids)))
            gone = connection.execute(delete(marks).where(old)).rowcount
            forget_unknown(connection, to_utc(before))
        self.database.scrub()
        return gone

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """First moment of a day, and of the next, UTC.

        Raises:
            InvalidError: no day comes after it.
        """
        if day == date.max:
            raise InvalidError(f"day {day} is out of range", "give one of this age")
        since, until = (datetime.combine(d, time(), self.zone) for d in (day, day + timedelta(days=1)))
        return to_utc(since), to_utc(until)


def _entry(found: list[Mark]) -> DayEntry:
    return DayEntry(
        found[0].person_id,
        found[0].name,
        found[0].first_seen,
        max(mark.last_seen for mark in found),
        len(found),
        sum(mark.sightings for mark in found),
    )

"""Sessions: what one is present at, a lesson or a shift."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from facegate.serving.store.columns import checked_id, checked_text, to_utc
from facegate.serving.store.database import Database
from facegate.serving.store.errors import ConflictError, InvalidError, NotFoundError
from facegate.serving.store.schema import sessions


@dataclass(frozen=True)
class Session:
    """A lesson, a shift, a meeting.

    Attributes:
        id: identifier.
        name: as shown.
        starts_at: begin.
        ends_at: end; None while it is open.
    """

    id: str
    name: str
    starts_at: datetime
    ends_at: datetime | None


def create_session(
    database: Database, name: str, starts_at: datetime, ends_at: datetime | None, id_: str | None
) -> Session:
    """Add a session.

    Raises:
        ConflictError: the identifier is taken.
        InvalidError: it ends before it starts.
    """
    session = Session(
        checked_id(id_ or secrets.token_hex(8), "session"),
        checked_text(name, "name"),
        to_utc(starts_at),
        to_utc(ends_at) if ends_at else None,
    )
    _check(session)
    try:
        with database.write() as connection:
            connection.execute(insert(sessions).values(vars(session)))
    except IntegrityError as error:
        raise ConflictError(
            f"session `{session.id}` is there already", "choose another identifier"
        ) from error
    return session


def close_session(database: Database, id_: str, ends_at: datetime) -> Session:
    """Say when a session ends.

    Raises:
        NotFoundError: there is no such session.
        InvalidError: it would end before it starts.
    """
    with database.write() as connection:
        connection.execute(update(sessions).where(sessions.c.id == id_).values(ends_at=to_utc(ends_at)))
        session = get_session(connection, id_)
        _check(session)
    return session


def get_session(connection: Connection, id_: str) -> Session:
    """One session.

    Raises:
        NotFoundError: there is no such session.
    """
    row = connection.execute(select(sessions).where(sessions.c.id == id_)).one_or_none()
    if row is None:
        raise NotFoundError(f"no session `{id_[:80]}`", "look it up in the list of sessions")
    return Session(**row._mapping)


def list_sessions(database: Database, since: datetime | None, until: datetime | None) -> list[Session]:
    """Sessions that start from one time on and before another, in order."""
    wanted = select(sessions).order_by(sessions.c.starts_at, sessions.c.id)
    if since is not None:
        wanted = wanted.where(sessions.c.starts_at >= since)
    if until is not None:
        wanted = wanted.where(sessions.c.starts_at < until)
    with database.read() as connection:
        return [Session(**row._mapping) for row in connection.execute(wanted)]


def _check(session: Session) -> None:
    if session.ends_at is not None and session.ends_at <= session.starts_at:
        raise InvalidError(f"session `{session.id}` ends before it starts", "give a later end")

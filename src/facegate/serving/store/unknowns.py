"""Faces that nobody was found for, counted by hour, camera and session: nothing else is kept of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from facegate.serving.store.dialects import upsert
from facegate.serving.store.schema import unknowns


@dataclass(frozen=True)
class UnknownCount:
    """Faces that nobody was found for.

    Attributes:
        hour: begin of the hour, UTC.
        camera: where.
        session_id: at what; None for none.
        seen: how many.
    """

    hour: datetime
    camera: str
    session_id: str | None
    seen: int


def count_unknown(connection: Connection, at: datetime, camera: str, session_id: str | None) -> None:
    """Count one more face."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    row = {"hour": hour, "camera": camera, "session_id": session_id or "", "seen": 1}
    more = upsert(connection.dialect.name, unknowns).values(row)
    connection.execute(
        more.on_conflict_do_update(
            index_elements=["hour", "camera", "session_id"], set_={"seen": unknowns.c.seen + 1}
        )
    )


def unknown_counts(connection: Connection, since: datetime, until: datetime) -> list[UnknownCount]:
    """Counts of a span of time, by hour, camera and session."""
    wanted = select(unknowns).where(unknowns.c.hour >= since, unknowns.c.hour < until)
    found = connection.execute(wanted.order_by(unknowns.c.hour, unknowns.c.camera, unknowns.c.session_id))
    return [UnknownCount(hour, camera, session or None, seen) for hour, camera, session, seen in found]


def forget_unknown(connection: Connection, before: datetime) -> None:
    """Delete what was counted before a time."""
    connection.execute(delete(unknowns).where(unknowns.c.hour < before))

"""What is no longer needed is deleted: persons whose time is over, and crops that are old."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from facegate.serving.store.database import Database
from facegate.serving.store.memory import PRUNED
from facegate.serving.store.people import remove_person
from facegate.serving.store.schema import counters, crops, persons, removals

_REMOVALS = timedelta(days=7)
"""How long workers may be asleep before they read the gallery anew."""


def purge_gallery(database: Database, now: datetime, crop_days: int | None) -> int:
    """Delete what is over; returns the number of persons."""
    with database.write() as connection:
        over = select(persons.c.id).where(persons.c.keep_until <= now).order_by(persons.c.id)
        ids = list(connection.execute(over).scalars())
        for id_ in ids:
            remove_person(connection, id_, keep_attendance=False)
        if crop_days is not None:
            connection.execute(delete(crops).where(crops.c.created_at < now - timedelta(days=crop_days)))
        old = removals.c.removed_at < now - _REMOVALS
        last = connection.execute(select(func.max(removals.c.revision)).where(old)).scalar_one()
        if last is not None:
            connection.execute(update(counters).where(counters.c.name == PRUNED).values(value=last))
            connection.execute(delete(removals).where(removals.c.revision <= last))
    database.scrub()
    return len(ids)

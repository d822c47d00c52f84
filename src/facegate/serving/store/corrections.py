"""Corrections of attendance: every one with who, when, why, and what stood there before."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from facegate.serving.store.columns import checked_text, utc_now
from facegate.serving.store.errors import InvalidError
from facegate.serving.store.marks import Mark, Sighting, get_mark, insert_mark, write_mark
from facegate.serving.store.people import lock_person
from facegate.serving.store.schema import corrections

_FIELDS = ("person_id", "session_id", "first_seen", "last_seen", "void")


@dataclass(frozen=True)
class Correction:
    """One change that a person made.

    Attributes:
        id: number.
        mark_id: mark that was changed.
        made_at: when.
        made_by: by whom.
        reason: why.
        before: what stood there; empty for a mark that was entered by hand.
        after: what stands there since.
    """

    id: int
    mark_id: int
    made_at: datetime
    made_by: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]


def correct_mark(
    connection: Connection, number: int, changes: dict[str, Any], *, by: str, reason: str
) -> Mark:
    """Change a mark and note it.

    Raises:
        NotFoundError: there is no such mark or person.
        InvalidError: it would end before it starts, nothing would change, or `by` or `reason` is empty.
    """
    old = get_mark(connection, number)
    for person in sorted({old.person_id, changes.get("person_id", old.person_id)}):
        if person == old.person_id and old.name is None:
            continue  # no longer enrolled: nobody else changes that person's marks
        lock_person(connection, person)
    old = get_mark(connection, number)  # as it stands under the lock
    new = replace(old, **changes, corrected=True)
    if replace(new, corrected=old.corrected) == old:
        raise InvalidError(f"mark {number}: the correction changes nothing", "give what is to be changed")
    _check(new)
    write_mark(connection, new)
    _note(connection, number, _facts(old), _facts(new), by=by, reason=reason)
    return get_mark(connection, number)


def enter_mark(connection: Connection, seen: Sighting, last: datetime, *, by: str, reason: str) -> Mark:
    """Add a mark by hand and note it.

    Raises:
        NotFoundError: there is no such person.
        InvalidError: it ends before it starts, or `by` or `reason` is empty.
    """
    lock_person(connection, seen.person_id)
    mark = insert_mark(connection, seen, last, corrected=True)
    _check(mark)
    _note(connection, mark.id, {}, _facts(mark), by=by, reason=reason)
    return mark


def trail_of(connection: Connection, number: int) -> list[Correction]:
    """All corrections of a mark, oldest first."""
    wanted = select(corrections).where(corrections.c.mark_id == number).order_by(corrections.c.id)
    return [
        Correction(**{**row._mapping, "before": json.loads(row.before), "after": json.loads(row.after)})
        for row in connection.execute(wanted)
    ]


def _check(mark: Mark) -> None:
    if mark.last_seen < mark.first_seen:
        raise InvalidError(f"mark {mark.id} would end before it starts", "give a later end")


def _facts(mark: Mark) -> dict[str, Any]:
    values = {name: getattr(mark, name) for name in _FIELDS}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _note(
    connection: Connection,
    number: int,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    by: str,
    reason: str,
) -> None:
    row = {"mark_id": number, "made_at": utc_now(), "before": json.dumps(before), "after": json.dumps(after)}
    row |= {"made_by": checked_text(by, "by"), "reason": checked_text(reason, "reason", 1000)}
    connection.execute(insert(corrections).values(row))

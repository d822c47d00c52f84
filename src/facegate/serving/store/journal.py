"""Every decision in the order it was made, hash-chained, without pictures.

An entry is added under a lock on the chain's head, so writers of several workers queue up and the chain never forks.
Old entries may be pruned: the chain then starts at the hash of the last one that is gone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from facegate.chain import entry_hash
from facegate.errors import FacegateError
from facegate.serving.store.columns import checked_id, to_utc, utc_now
from facegate.serving.store.database import Database
from facegate.serving.store.errors import InvalidError
from facegate.serving.store.schema import journal, journal_ends

LARGEST_ENTRY = 8192
"""Characters of JSON: enough for scores and reasons, too small for a picture."""


class JournalError(FacegateError):
    """The chain of the journal is broken."""


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
        number: position, from 0.
        time: when, ISO 8601 in UTC.
        kind: what was decided or done.
        details: scores, reasons, identifiers.
        previous_hash: hash of the entry before.
        hash: SHA-256 over all of the above.
    """

    number: int
    time: str
    kind: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


class Verified(NamedTuple):
    """A chain that holds.

    Attributes:
        entries: how many were read.
        first: number of the first; those before were pruned.
        head: hash of the newest; worth keeping elsewhere.
    """

    entries: int
    first: int
    head: str


class Journal:
    """The log of decisions.

    Args:
        database: where it is kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def append(
        self,
        kind: str,
        details: Mapping[str, Any],
        *,
        at: datetime | None = None,
        connection: Connection | None = None,
    ) -> Entry:
        """Add an entry; on the disk when this returns, or when the given transaction ends.

        Args:
            kind: what was decided or done, an identifier such as ``identify``.
            details: what belongs to it, JSON; no pictures, no names.
            at: when; now by default.
            connection: transaction to be part of.

        Raises:
            InvalidError: the details are no JSON, or too long.
        """
        kind, text = checked_id(kind, "kind"), _json(details)
        time = to_utc(at or utc_now()).isoformat(timespec="microseconds")
        if connection is not None:
            return _append(connection, kind, text, time)
        with self.database.write() as own:
            return _append(own, kind, text, time)

    def entries(self, *, after: int = -1, limit: int = 100) -> list[Entry]:
        """Entries in order, those after a number."""
        wanted = select(journal).where(journal.c.number > after).order_by(journal.c.number).limit(limit)
        with self.database.read() as connection:
            return [_entry(row) for row in connection.execute(wanted)]

    def verify(self) -> Verified:
        """Read the whole chain.

        Raises:
            JournalError: an entry was edited, dropped, added or reordered; its number is named.
        """
        with self.database.read() as connection:
            start, head = _end(connection, "start", lock=True), _end(connection, "head")
            chain = select(journal).where(journal.c.number <= head.number).order_by(journal.c.number)
            number, last = start.number, start.hash
            for row in connection.execute(chain.execution_options(yield_per=5000)):
                number += 1
                if row.number != number or row.previous_hash != last:
                    raise _broken(number, "it, or one before it, is missing, added or out of order")
                if row.hash != _hash(row.number, row.time, row.kind, row.details, row.previous_hash):
                    raise _broken(number, "it was edited")
                last = row.hash
            if (number, last) != (head.number, head.hash):
                raise _broken(number + 1, "the end of the journal was cut off")
        return Verified(number - start.number, start.number + 1, last)

    def prune(self, before: datetime) -> int:
        """Delete the entries up to a time; the rest still verifies. Returns how many went."""
        limit = to_utc(before).isoformat(timespec="microseconds")
        with self.database.write() as connection:
            head = _end(connection, "head", lock=True)
            kept = select(func.min(journal.c.number)).where(journal.c.time >= limit)
            first = connection.execute(kept).scalar_one()
            last = (head.number + 1 if first is None else first) - 1
            row = connection.execute(select(journal).where(journal.c.number == last)).one_or_none()
            if row is None:
                return 0
            _set_end(connection, "start", row.number, row.hash)
            gone = connection.execute(delete(journal).where(journal.c.number <= last)).rowcount
        self.database.scrub()
        return gone


def _append(connection: Connection, kind: str, details: str, time: str) -> Entry:
    head = journal_ends.c.name == "head"
    rise = update(journal_ends).where(head).values(number=journal_ends.c.number + 1)
    number, previous = connection.execute(rise.returning(journal_ends.c.number, journal_ends.c.hash)).one()
    hash_ = _hash(number, time, kind, details, previous)
    entry = Entry(number, time, kind, json.loads(details), previous, hash_)
    connection.execute(insert(journal).values({**asdict(entry), "details": details}))
    _set_end(connection, "head", number, hash_)
    return entry


def _hash(number: int, time: str, kind: str, details: str, previous: str) -> str:
    values = {"number": number, "time": time, "kind": kind, "details": details, "previous_hash": previous}
    return entry_hash(values)


def _end(connection: Connection, name: str, lock: bool = False) -> Row[Any]:
    wanted = select(journal_ends).where(journal_ends.c.name == name)
    return connection.execute(wanted.with_for_update() if lock else wanted).one()


def _set_end(connection: Connection, name: str, number: int, hash_: str) -> None:
    values = {"number": number, "hash": hash_}
    connection.execute(update(journal_ends).where(journal_ends.c.name == name).values(values))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.number, row.time, row.kind, json.loads(row.details), row.previous_hash, row.hash)


def _json(details: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(dict(details), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidError(f"journal: {error}", "log numbers, text and lists; never a picture") from error
    if len(text) > LARGEST_ENTRY:
        raise InvalidError(f"journal: an entry of {len(text)} characters", f"keep it below {LARGEST_ENTRY}")
    return text


def _broken(number: int, why: str) -> JournalError:
    return JournalError(f"journal entry {number}: {why}", "compare with a backup; do not edit the journal")

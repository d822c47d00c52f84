"""What differs between the databases: URLs, drivers, and the words in which they complain."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from facegate.serving.store.errors import InvalidError, StoreError

_FORMS = "sqlite:///path/to/facegate.db or postgresql://user:password@host:5432/name"
_COMPLAINTS = (
    (
        ("database or disk is full", "53100", "No space left"),
        "the disk is full",
        "free some space; nothing was written",
    ),
    (
        ("readonly database", "25006", "unable to open database file", "42501"),
        "the database cannot be written",
        "let the service's user write the file and its folder, or grant it the schema",
    ),
    (
        ("database is locked", "40P01", "55P03", "40001"),
        "another writer holds the database",
        "try again; if it stays, look for a stuck process",
    ),
    (
        ("file is not a database", "malformed"),
        "the file is no SQLite database, or it is damaged",
        "name another file, or restore a backup",
    ),
    (("28P01", "28000"), "the server refuses the user or the password", "correct them in the URL"),
    (("3D000",), "the server has no such database", "create it with `createdb`, or correct the URL"),
    (("53300",), "the server has no connection left", "raise max_connections, or start fewer workers"),
)


_DATA = re.compile(r"'C': '22\w{3}'")
"""PostgreSQL's class of data exceptions."""


def engine_url(given: str) -> URL:
    """The URL with the driver that is used.

    Raises:
        StoreError: it is no URL of a database that is known.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise StoreError("the database URL cannot be read", f"write it as {_FORMS}") from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        return _sqlite_url(url)
    if kind != "postgresql":
        raise StoreError(f"database URL: `{kind}` is not supported", f"write it as {_FORMS}")
    if not url.database:
        raise StoreError("database URL: names no database", f"write it as {_FORMS}")
    return url.set(drivername="postgresql+pg8000") if url.drivername == "postgresql" else url


def _sqlite_url(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.host:
        raise StoreError("database URL: names no file", f"write it as {_FORMS} (three slashes)")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}", "name a file in a folder that can be written"
        ) from error
    return url


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn what a driver complains about into a `StoreError`, or an `InvalidError` if a value was to blame.

    Violated constraints pass: they are the caller's to explain.
    """
    shown = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except IntegrityError:
        raise
    except OverflowError as error:
        raise InvalidError("a number or a time is out of range", "give a smaller one") from error
    except PoolTimeout as error:
        raise StoreError(
            f"{shown}: all connections are in use", "try again, or start another worker"
        ) from error
    except DBAPIError as error:
        raise _explained(shown, error) from error


def _explained(shown: str, error: DBAPIError) -> StoreError | InvalidError:
    words = str(error.orig)
    if _DATA.search(words):
        return InvalidError(
            "a value cannot be stored: it is out of range, or holds a NUL", "give another one"
        )
    for signs, problem, remedy in _COMPLAINTS:
        if any(sign in words for sign in signs):
            return StoreError(f"{shown}: {problem}", remedy)
    if error.connection_invalidated or type(error.orig).__name__ == "InterfaceError":
        return StoreError(f"{shown}: the server cannot be reached", "start it, or correct host and port")
    return StoreError(f"{shown}: {words[:200]}", "see the database's own log")


def upsert(dialect: str, table: Any) -> Any:
    """An INSERT that knows ``on_conflict_do_update``, in the words of either database."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)

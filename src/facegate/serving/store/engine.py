"""Connections whose commits are durable.

SQLite keeps a write-ahead log with full synchronisation; its writers take their turn from their first statement
on (``BEGIN IMMEDIATE``), so that no transaction has to be given up half-way. PostgreSQL is durable as it comes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError

from facegate.errors import MissingExtraError
from facegate.serving.store.errors import StoreError

BUSY_SECONDS = 10
"""How long a writer waits for its turn."""


def connect(url: URL) -> Engine:
    """Connections to a database; none is opened yet.

    Raises:
        StoreError: there is no such driver.
        MissingExtraError: the driver is not installed.
    """
    pool: dict[str, Any] = {"pool_size": 5, "max_overflow": 15}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **pool)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, pool_pre_ping=True, **pool)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{url.drivername}: the driver {error.name} is not installed", "pip install 'facegate[postgres]'"
        ) from error
    except NoSuchModuleError as error:
        raise StoreError(
            f"database URL: `{url.drivername}` is no driver", "write postgresql://user:password@host/name"
        ) from error


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """A writing transaction."""
    with engine.connect().execution_options(facegate_write=True) as connection, connection.begin():
        yield connection


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite` alone
    mode = _wal(connection)
    if mode != "wal":
        raise StoreError(
            f"SQLite cannot keep a write-ahead log here (journal mode {mode})",
            "put the database on a local disk, not on a network share",
        )
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _wal(connection: Any) -> str:
    """Turn the log on; the first to do so needs the file for itself, and SQLite does not wait for that."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("facegate_write") else "BEGIN")

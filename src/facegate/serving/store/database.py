"""One database behind one URL: an embedded SQLite file, or a PostgreSQL server when several machines share it.

What a `write` block has left without an error is on the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text, update

from facegate.serving.store.dialects import engine_url, translated
from facegate.serving.store.engine import begin_write, connect
from facegate.serving.store.migrate import migrate
from facegate.serving.store.schema import METADATA, counters


class Database:
    """An open database; threads may share it. Use `open`.

    Args:
        engine: connections to a database that has the present tables.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open a database and bring it to the present version; several processes may do so at once.

        Args:
            url: ``sqlite:///relative/path.db``, ``sqlite:////absolute/path.db`` or
                ``postgresql://user:password@host/name``.

        Raises:
            StoreError: the URL is wrong, the database out of reach, read-only, full, or written by a newer
                facegate.
            MissingExtraError: the driver is not installed.
        """
        engine = connect(engine_url(url))
        try:
            with translated(engine):
                migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreError: the database is out of reach.
        """
        with translated(self.engine), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block is left, or undone if it raises.

        Raises:
            StoreError: the database is out of reach, read-only, full or busy.
        """
        with translated(self.engine), begin_write(self.engine) as connection:
            yield connection

    def ping(self) -> None:
        """Ask whether the database answers.

        Raises:
            StoreError: it does not.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def scrub(self) -> None:
        """Give deleted rows no place to linger: empty SQLite's log; let PostgreSQL clear dead rows at once."""
        with (
            translated(self.engine),
            self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as free,
        ):
            if self.dialect == "sqlite":
                free.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            else:
                free.connection.rollback()  # the pool's ping began a transaction, in which nothing can be vacuumed
                names = ", ".join(table.name for table in METADATA.sorted_tables)
                free.execute(text(f"VACUUM {names}"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def advance(connection: Connection, counter: str, by: int = 1) -> int:
    """Raise a counter and return its new value; other writers of it wait until this transaction ends."""
    rise = update(counters).where(counters.c.name == counter).values(value=counters.c.value + by)
    return connection.execute(rise.returning(counters.c.value)).scalar_one()

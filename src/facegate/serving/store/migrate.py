"""Bring a database to the present version, however many workers start at once.

The first takes the database for itself (SQLite: an immediate transaction; PostgreSQL: an advisory lock) and runs
all steps in that one transaction; the others wait and find nothing left to do.
"""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from facegate.serving.store.engine import begin_write
from facegate.serving.store.errors import StoreError

_LOCK = 0x666163656761  # any number that nobody else takes


def migrate(engine: Engine) -> None:
    """Create or update the tables.

    Raises:
        StoreError: the database was written by a newer facegate.
    """
    script = ScriptDirectory.from_config(_config())
    with engine.connect() as connection:
        if _current(connection, script) == script.get_current_head():
            return
    with begin_write(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _current(connection, script) != script.get_current_head():
            command.upgrade(_config(connection), "head")


def _current(connection: Connection, script: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the database has version {current}, which this facegate does not know",
            "update facegate; an older one must not write a newer database",
        )
    return current


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("facegate.serving.store.migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

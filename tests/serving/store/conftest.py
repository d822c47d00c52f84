import importlib.util
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, NullPool, create_engine, text

from facegate.chain import START
from facegate.serving.store import (
    Attendance,
    Database,
    Gallery,
    Journal,
    Keys,
    TemplateModel,
    Vault,
    new_key_line,
)
from facegate.serving.store.schema import METADATA
from tests.conftest import missing
from tests.serving.store import postgres

MODEL = TemplateModel("a" * 64, 16)
OTHER = TemplateModel("b" * 64, 8)
SEEDED = ("counters", "journal_ends")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL of our own."""
    if importlib.util.find_spec("pg8000") is None:
        missing("pg8000", "pip install 'facegate[postgres]'")
    programs = postgres.binaries()
    if programs is None:
        missing("postgresql", "apt-get install postgresql")
    with postgres.server(programs) as url:
        yield url


BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def ready_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and no rows, to copy."""
    path = tmp_path_factory.mktemp("ready") / "facegate.db"
    database = Database.open(f"sqlite:///{path}")
    database.scrub()
    database.close()
    return path


@pytest.fixture(scope="session")
def ready_postgres(postgres_server: str) -> str:
    """URL of a database with all tables."""
    url = new_postgres(postgres_server, "shared")
    Database.open(url).close()
    return url


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database with all tables and no rows."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("ready_sqlite"), tmp_path / "facegate.db")
        return f"sqlite:///{tmp_path}/facegate.db"
    url = request.getfixturevalue("ready_postgres")
    empty_tables(url)
    return url


@pytest.fixture(params=BOTH)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    return new_postgres(request.getfixturevalue("postgres_server"), f"new_{secrets.token_hex(4)}")


def new_postgres(server: str, name: str) -> str:
    """Make a database on a server."""
    with admin(f"{server}/postgres") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return f"{server}/{name}"


def empty_tables(url: str) -> None:
    """As a new database has them."""
    with admin(url) as connection:
        for table in reversed(METADATA.sorted_tables):
            if table.name not in SEEDED:
                connection.execute(text(f"DELETE FROM {table.name}"))  # quicker than TRUNCATE of empty tables
        connection.execute(text("UPDATE counters SET value = 0"))
        connection.execute(text("UPDATE journal_ends SET number = -1, hash = :start"), {"start": START})


@contextmanager
def admin(url: str) -> Iterator[Connection]:
    """A connection outside transactions."""
    engine = create_engine(url.replace("postgresql:", "postgresql+pg8000:"), poolclass=NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault.from_text(new_key_line("first"))


@pytest.fixture
def gallery(database: Database, vault: Vault) -> Gallery:
    return Gallery(database, vault, MODEL)


@pytest.fixture
def attendance(database: Database) -> Attendance:
    return Attendance(database)


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


@pytest.fixture
def keys(database: Database) -> Keys:
    return Keys(database)


Draw = Callable[..., NDArray[np.float32]]


@pytest.fixture
def draw() -> Draw:
    """Random embeddings of unit length, shape (n, size)."""
    rng = np.random.default_rng(0)

    def vectors(count: int, size: int = MODEL.size) -> NDArray[np.float32]:
        drawn = rng.standard_normal((count, size)).astype(np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    return vectors

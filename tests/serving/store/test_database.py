from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text

from facegate.errors import MissingExtraError
from facegate.serving.store import Database, StoreError
from facegate.serving.store.columns import utc_now
from facegate.serving.store.database import advance
from facegate.serving.store.dialects import engine_url
from facegate.serving.store.schema import METADATA, api_keys, counters


def test_the_steps_lead_to_the_tables_that_the_code_expects(database):
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_workers_that_start_at_once_make_the_tables_once(new_url):
    with ThreadPoolExecutor(6) as workers:
        for database in workers.map(Database.open, [new_url] * 6):
            database.close()
    database = Database.open(new_url)
    with database.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["0001"]
        assert len(connection.execute(select(counters)).all()) == 3
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(new_url):
    database = Database.open(new_url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match="version 9999, which this facegate does not know"):
        Database.open(new_url)


def test_a_transaction_that_raises_leaves_nothing(database):
    with pytest.raises(RuntimeError, match="half-way"), database.write() as connection:
        advance(connection, "gallery_rows", 5)
        raise RuntimeError("half-way")
    with database.write() as connection:
        assert advance(connection, "gallery_rows") == 1


def test_commits_are_synchronised_to_the_disk(database):
    with database.read() as connection:
        if database.dialect == "sqlite":
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            found = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in pragmas]
            assert found == ["wal", 2, 1, 1]
        else:
            assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "cannot be read"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/file.db", "names no file"),
        ("mysql://user@host/name", "`mysql` is not supported"),
        ("postgresql://user@host", "names no database"),
        ("postgresql+nothing://user@host/name", "is no driver"),
        ("sqlite:////proc/nothing/file.db", "/proc/nothing"),
    ],
)
def test_a_wrong_url_is_explained(url, says):
    with pytest.raises(StoreError, match=says):
        Database.open(url)


def test_the_usual_postgresql_url_takes_the_free_driver():
    assert engine_url("postgresql://u:p@h/d").drivername == "postgresql+pg8000"


def test_a_driver_that_is_not_installed_is_named():
    with pytest.raises(MissingExtraError, match="psycopg2cffi is not installed"):
        Database.open("postgresql+psycopg2cffi://user@127.0.0.1/name")


def test_a_server_that_is_down_is_said_without_the_password():
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Database.open("postgresql://user:secret@127.0.0.1:1/name")
    assert "secret" not in str(caught.value)


def test_a_database_that_the_server_does_not_have_is_named(postgres_server):
    with pytest.raises(StoreError, match="no such database"):
        Database.open(f"{postgres_server}/absent")


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(StoreError, match="no SQLite database"):
        Database.open(f"sqlite:///{path}")
    assert path.read_text() == "not a database, " * 100


def test_the_file_is_for_its_owner_alone(tmp_path):
    Database.open(f"sqlite:///{tmp_path}/sub/new.db").close()
    assert (tmp_path / "sub" / "new.db").stat().st_mode & 0o077 == 0


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/full.db")
    with database.write() as connection:
        advance(connection, "gallery_rows")
    row = {"id": "1", "label": "x" * 100_000, "role": "admin", "digest": "", "created_at": utc_now()}
    with pytest.raises(StoreError, match="the disk is full"), database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        advance(connection, "gallery_rows")
        connection.execute(insert(api_keys).values(row))
    database.close()
    with database.write() as connection:
        assert advance(connection, "gallery_rows") == 2
        assert connection.execute(select(api_keys)).all() == []
    database.close()


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    path = tmp_path / "read.db"
    Database.open(f"sqlite:///{path}").close()
    database = Database.open(f"sqlite:///{path}")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.rollback()
    with pytest.raises(StoreError, match="cannot be written"), database.write() as connection:
        advance(connection, "gallery_rows")
    database.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_comes_back_is_used_again(database):
    database.ping()
    with database.read() as connection:
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = Database.open(database.engine.url.render_as_string(hide_password=False))
    with other.read() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
    other.close()
    database.ping()


def test_migrations_are_part_of_the_package():
    import facegate.serving.store.migrations as package

    folder = Path(str(package.__file__)).parent
    assert (folder / "env.py").is_file()
    assert (folder / "versions" / "__init__.py").is_file()

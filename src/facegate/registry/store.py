"""Where MLflow keeps its records: SQLite in the project folder, or any server.

The local store is ``<root>/mlruns/mlflow.db`` with its artifacts in ``<root>/mlruns/artifacts/<experiment>``.
``MLFLOW_TRACKING_URI`` names another store. A new database is built beside its place and renamed when it is
whole: two processes that touch an empty SQLite store together would otherwise both fail in its migrations.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from filelock import FileLock
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.exc import SQLAlchemyError

from facegate.errors import RegistryError
from facegate.registry.quiet import MlflowClient, MlflowException, mlflow
from facegate.whole import whole_file

FOLDER = "mlruns"
DATABASE = "mlflow.db"


@dataclass(frozen=True)
class Store:
    """A tracking store that has been opened.

    Attributes:
        uri: what MLflow calls its tracking URI.
        folder: folder of a SQLite store, which holds the artifacts too; None for a server.
        client: MLflow's client of this store.
    """

    uri: str
    folder: Path | None
    client: MlflowClient

    def artifacts(self, experiment: str) -> str | None:
        """Where a new experiment keeps its artifacts; None leaves it to the server."""
        return None if self.folder is None else (self.folder / "artifacts" / experiment).as_uri()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make this MLflow's global store for the block: some of its calls resolve ``models:/`` by it."""
        before = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)  # pyright: ignore[reportArgumentType]  # None unsets it

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock between the processes of this machine; a server's store is not locked."""
        if self.folder is None:
            yield
            return
        with FileLock(self.folder / f".{name}.lock"):
            yield


def project_root() -> Path:
    """The project folder: DVC's root inside a stage (the same in ``dvc exp run --temp``), else here."""
    return Path(os.environ.get("DVC_ROOT") or ".").resolve()


def store_uri(root: Path | None = None) -> str:
    """Tracking URI of the store of a project folder, or the one in ``MLFLOW_TRACKING_URI``."""
    named = os.environ.get("MLFLOW_TRACKING_URI")
    if not named:
        return f"sqlite:///{(root or project_root()).resolve() / FOLDER / DATABASE}"
    if named.startswith("sqlite:///"):
        return f"sqlite:///{Path(named.removeprefix('sqlite:///')).resolve()}"
    if "://" not in named:
        raise RegistryError(
            f"MLFLOW_TRACKING_URI={named}: a plain folder; MLflow 3 has no file store any more",
            "unset it to use mlruns/mlflow.db, or name a server (http://…) or sqlite:///FILE",
        )
    return named


def init_store(root: Path | None = None) -> Store:
    """Open the store, creating it if need be; safe to call from many processes at once.

    Raises:
        RegistryError: it cannot be created or reached, or it was moved.
    """
    uri = store_uri(root)
    database = _database(uri)
    if database is not None and not database.exists():
        _create(database)
    return _open(uri)


def open_store(root: Path | None = None) -> Store:
    """Open a store that exists already.

    Raises:
        RegistryError: there is none, it cannot be reached, or it was moved.
    """
    uri = store_uri(root)
    database = _database(uri)
    if database is not None and not database.exists():
        raise RegistryError(
            f"{database}: there is no tracking store yet",
            "run `make repro`; it trains and registers the first models",
        )
    return _open(uri)


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn what MLflow and its database raise into a RegistryError with a remedy."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.DatabaseError) as error:
        raise RegistryError(f"{uri}: {_first_line(error)}", _remedy(str(error), uri)) from error


def ensure_experiment(store: Store, name: str, description: str = "") -> str:
    """Id of an experiment, created on first use.

    Raises:
        RegistryError: it was deleted in the UI, or the store fails.
    """
    with store_errors(store.uri), store.locked("experiments"):
        found = store.client.get_experiment_by_name(name)
        if found is None:
            tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": description}
            try:
                return store.client.create_experiment(name, store.artifacts(name), tags)
            except MlflowException as error:
                found = store.client.get_experiment_by_name(name)  # another machine was quicker
                if found is None:
                    raise error
    if found.lifecycle_stage != "active":
        raise RegistryError(
            f"experiment `{name}` is deleted",
            f"mlflow experiments restore --experiment-id {found.experiment_id}, or set register.experiment",
        )
    return found.experiment_id


def local_database(root: Path | None = None) -> Path | None:
    """Path of the SQLite store in use; None for a server."""
    return _database(store_uri(root))


def _database(uri: str) -> Path | None:
    return Path(unquote(uri.removeprefix("sqlite:///"))) if uri.startswith("sqlite:///") else None


def _create(database: Path) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(database.parent / ".init.lock"), store_errors(str(database)):
        if database.exists():
            return
        with whole_file(database) as draft:
            SqlAlchemyStore(f"sqlite:///{draft}", (database.parent / "artifacts").as_uri()).engine.dispose()


def _open(uri: str) -> Store:
    database = _database(uri)
    with store_errors(uri):
        if database is not None:
            _refuse_moved(database)
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    return Store(uri, database.parent if database else None, client)


def _refuse_moved(database: Path) -> None:
    for name, location in experiment_locations(database):
        path = Path(unquote(urlparse(location).path))
        if path.parts[-2:] == ("artifacts", name) and path.parent.parent.resolve() != database.parent:
            raise RegistryError(
                f"{database}: the store was moved or copied: its artifacts are recorded under "
                f"{path.parent.parent}",
                "run `facegate registry relocate` to write the present place into it",
            )


def experiment_locations(database: Path) -> list[tuple[str, str]]:
    """Name and artifact location of each experiment, read without MLflow.

    Opened for writing, since the first reader after a kill has to undo what was half committed.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as connection:
        rows = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
    return [(str(name), str(location)) for name, location in rows if location]


def _first_line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    if "Max retries exceeded" in text:
        return "the server does not answer"
    return text[:300]


def _remedy(text: str, uri: str) -> str:
    if "locked" in text:
        return "another process is writing to it; wait for it to end and try again"
    if "schema" in text or "revision" in text or "no such table" in text:
        return f"it was written by another MLflow version: back it up and run `mlflow db upgrade {uri}`"
    if "not a database" in text or "malformed" in text:
        return "the file is damaged: restore it from a backup, or move it away and run `make repro`"
    if "readonly" in text or "unable to open" in text:
        return "check the rights of the folder and that the disk is mounted"
    if "401" in text or "403" in text or "UNAUTHENTICATED" in text or "PERMISSION_DENIED" in text:
        return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD for this server"
    if uri.startswith("http"):
        return "check that the server runs and that MLFLOW_TRACKING_URI names it"
    return "run `facegate doctor`"

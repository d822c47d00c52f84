"""Writes a moved store's present place into its database.

MLflow keeps the absolute place of every artifact in four columns. After the project folder was moved or copied
they still name the old one. All four change in one transaction, or none does.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from facegate.errors import RegistryError
from facegate.registry.store import experiment_locations, local_database, store_errors

COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)


@dataclass(frozen=True)
class Relocation:
    """What was rewritten.

    Attributes:
        old: folders that the store named; empty if it was in its place.
        new: the folder that it names now.
        rows: rewritten values.
    """

    old: tuple[Path, ...]
    new: Path
    rows: int


def relocate(root: Path | None = None) -> Relocation:
    """Make a SQLite store name the folder it lies in.

    Raises:
        RegistryError: there is no local store, or it cannot be written.
    """
    database = local_database(root)
    if database is None:
        raise RegistryError(
            "MLFLOW_TRACKING_URI names a server, which keeps no absolute places",
            "unset it to relocate the store in mlruns/",
        )
    if not database.exists():
        raise RegistryError(
            f"{database}: there is no tracking store here", "run this in the project's folder"
        )
    with store_errors(str(database)):
        old = sorted(recorded_folders(database) - {database.parent})
        with closing(sqlite3.connect(database)) as connection, connection:
            rows = sum(_rewrite(connection, folder, database.parent) for folder in old)
    return Relocation(tuple(old), database.parent, rows)


def recorded_folders(database: Path) -> set[Path]:
    """Store folders that the experiments' artifact locations name."""
    places = ((name, Path(unquote(urlparse(place).path))) for name, place in experiment_locations(database))
    return {path.parent.parent for name, path in places if path.parts[-2:] == ("artifacts", name)}


def _rewrite(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    rows = 0
    for table, column in COLUMNS:
        for before, after in ((old.as_uri(), new.as_uri()), (str(old), str(new))):
            done = connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (f"{after}/", len(before) + 2, len(before) + 1, f"{before}/"),
            )
            rows += done.rowcount
    return rows

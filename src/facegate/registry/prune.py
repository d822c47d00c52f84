"""Which versions nothing needs any more, and their deletion.

Needed is whatever an alias names, whatever the promotion record names, whatever a kept release was made of, and
the newest few of each model. Everything else may go: the version, its logged model and its files.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.params import Params
from facegate.registry.aliases import exclusive
from facegate.registry.listing import VersionRow, list_versions
from facegate.registry.promote import promotions_folder
from facegate.registry.record import read_record
from facegate.registry.releases import release_name
from facegate.registry.store import Store, open_store, store_errors


@dataclass(frozen=True)
class Pruning:
    """What may go, and what is kept for which reason."""

    superfluous: tuple[VersionRow, ...]
    kept: dict[tuple[str, int], str]


def plan(params: Params, keep: int = 3, root: Path | None = None) -> Pruning:
    """Find the versions that nothing needs; deletes nothing.

    Args:
        params: all parameters.
        keep: how many of the newest versions of each model and target to keep in any case.
        root: project folder.

    Raises:
        RegistryError: the store cannot be used, or the promotion record is broken.
    """
    store, rows = open_store(root), list_versions(root)
    release = release_name(params.register_.prefix)
    kept: dict[tuple[str, int], str] = {}
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.name, row.target)
        seen[key] = seen.get(key, 0) + 1
        if row.aliases:
            kept[row.name, row.version] = "alias " + ", ".join(row.aliases)
        elif seen[key] <= keep:
            kept[row.name, row.version] = f"among the newest {keep}"
    for entry in read_record(promotions_folder(root)):
        for version in (entry.release, entry.before):
            if version is not None:
                kept.setdefault((release, version), f"promotion record, line {entry.index + 1}")
    for row in rows:
        if row.name == release and (release, row.version) in kept:
            for part in _parts(store, row):
                kept.setdefault(part, f"part of release {row.version}")
    return Pruning(tuple(row for row in rows if (row.name, row.version) not in kept), kept)


def delete(pruning: Pruning, root: Path | None = None) -> Sequence[VersionRow]:
    """Delete what a plan found, unless an alias has come to name it meanwhile.

    Returns:
        What was deleted.
    """
    store, deleted = open_store(root), []
    with exclusive(promotions_folder(root)), store.locked("registry"):
        named = {(row.name, row.version) for row in list_versions(root) if row.aliases}
        for row in pruning.superfluous:
            if (row.name, row.version) not in named:
                _delete(store, row)
                deleted.append(row)
    return deleted


def _delete(store: Store, row: VersionRow) -> None:
    with store_errors(store.uri):
        version = store.client.get_model_version(row.name, str(row.version))
        store.client.delete_model_version(row.name, str(row.version))
        source = str(version.source)
        if source.startswith("models:/m-"):
            model_id = source.removeprefix("models:/")
            place = store.client.get_logged_model(model_id).artifact_location
            store.client.delete_logged_model(model_id)
            _remove(store, place)
        if version.run_id and not _others(store, version):
            place = str(store.client.get_run(version.run_id).info.artifact_uri)
            store.client.delete_run(version.run_id)
            _remove(store, place)


def _others(store: Store, version: ModelVersion) -> bool:
    return bool(store.client.search_model_versions(f"run_id = '{version.run_id}'", max_results=1))


def _remove(store: Store, location: str) -> None:
    """Delete files of a local store; a server's are its own affair."""
    path = Path(unquote(urlparse(location).path))
    if store.folder is not None and store.folder in path.parents:
        shutil.rmtree(path, ignore_errors=True)


def _parts(store: Store, row: VersionRow) -> list[tuple[str, int]]:
    with store_errors(store.uri):
        tags = store.client.get_model_version(row.name, str(row.version)).tags
    named = [tags[task.value].rpartition("/") for task in Task if task.value in tags]
    return [(name, int(version)) for name, _, version in named]

"""Is everything in the registry still what it was when it was promoted? Nothing is believed, all is hashed again."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from facegate.errors import FacegateError, RegistryError
from facegate.params import Params
from facegate.registry.aliases import (
    HEAD_TAG,
    JOURNAL,
    PREVIOUS,
    PRODUCTION,
    SHADOW,
    STAGING,
    current_aliases,
)
from facegate.registry.bundles import read_candidate
from facegate.registry.listing import fetch_bundle
from facegate.registry.promote import promotions_folder
from facegate.registry.record import Entry, head_of, read_record
from facegate.registry.releases import fetch_release, release_name
from facegate.registry.store import Store, open_store, store_errors
from facegate.runtime import signing
from facegate.runtime.bundle import load_bundle
from facegate.runtime.release import read_release


def verify(params: Params, root: Path | None = None) -> list[str]:
    """Everything that is not as it should be; empty if nothing is.

    Every bundle and release is fetched and hashed against its tags, every gate report against the record, the
    record's chain is walked, and aliases and record are compared. Where ``FACEGATE_PUBLIC_KEY`` is set, every
    release that an alias serves, and whatever was registered as signed, must also be signed by that key: hashes
    beside a file can be written anew by whoever edits it.

    Raises:
        RegistryError: the store cannot be used.
    """
    store, folder = open_store(root), promotions_folder(root)
    name = release_name(params.register_.prefix)
    with store_errors(store.uri):
        versions = list(store.client.search_model_versions(max_results=10_000))
    aliases = current_aliases(store, name)
    serving = {aliases.get(alias) for alias in (STAGING, PRODUCTION, PREVIOUS, SHADOW)}
    problems = [
        problem
        for version in versions
        for problem in _version(
            store, version, name, version.name == name and int(version.version) in serving
        )
    ]
    try:
        entries = read_record(folder)
    except RegistryError as error:
        return [*problems, error.problem]
    return [*problems, *_record(store, name, folder, entries), *_reports(store, name, entries)]


def _version(store: Store, version: ModelVersion, release: str, serving: bool) -> Iterator[str]:
    place = f"{version.name}/{version.version}"
    if "bundle.digest" not in version.tags:
        return
    signed = serving or version.tags.get("signed") == "true"
    try:
        with tempfile.TemporaryDirectory() as scratch:
            if version.name == release:
                folder = Path(scratch) / "release"
                fetch_release(store, release, str(version.version), folder, signed=False)
                yield from _signature(place, signed, lambda: read_release(folder))
                return
            bundle = fetch_bundle(store, str(version.name), str(version.version), Path(scratch))
            found = read_candidate(bundle)
            yield from _signature(place, signed, lambda: load_bundle(bundle))
    except FacegateError as error:
        yield f"{place}: {error.problem}"
        return
    known = {
        "bundle.digest": found.digest,
        "contract.sha256": found.contract_sha256,
        "golden.sha256": found.golden_sha256,
    }
    if any(version.tags.get(tag, value) != value for tag, value in known.items()):
        yield f"{place}: its bundle is not the one that was registered"


def _signature(place: str, signed: bool, check: Callable[[], object]) -> Iterator[str]:
    """Whether it is signed by a trusted key; nothing to say where none is configured or none was promised."""
    if not (signed and signing.trust_configured()):
        return
    try:
        check()
    except FacegateError as error:
        yield f"{place}: {error.problem}"


def _record(store: Store, name: str, folder: Path, entries: list[Entry]) -> Iterator[str]:
    if (folder / JOURNAL).exists():
        yield f"{folder / JOURNAL}: a promotion was cut short; the next promotion or rollback finishes it"
        return
    aliases = current_aliases(store, name)
    if not aliases:
        return
    with store_errors(store.uri):
        head = store.client.get_registered_model(name).tags.get(HEAD_TAG)
    if head != (head_of(entries) if entries else None):
        yield f"{folder}: the record does not end where the registry says that it does"
    newest = {entry.stage: entry.release for entry in entries}
    for stage in (STAGING, PRODUCTION, SHADOW):
        if aliases.get(stage) != newest.get(stage):
            yield f"{name}: `{stage}` is {aliases.get(stage)}, and the record says {newest.get(stage)}"


def _reports(store: Store, name: str, entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        if not entry.gate_sha256:
            continue
        place = f"gate/{entry.profile}-{entry.gate_sha256[:12]}.json"
        try:
            with store_errors(store.uri), tempfile.TemporaryDirectory() as scratch:
                run_id = str(store.client.get_model_version(name, str(entry.release)).run_id)
                path = store.client.download_artifacts(run_id, place, scratch)
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except (RegistryError, OSError):
            yield f"record {entry.index}: its gate report {place} is gone"
            continue
        if digest != entry.gate_sha256:
            yield f"record {entry.index}: its gate report {place} was edited"

"""What is registered, as rows for the command line, and the newest candidate as a bundle folder."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.registry.bundles import FILES, read_candidate
from facegate.registry.names import CANDIDATE, model_name
from facegate.registry.quiet import MlflowException
from facegate.registry.store import Store, open_store, store_errors
from facegate.runtime.signing import SIGNATURE


@dataclass(frozen=True)
class VersionRow:
    """One registered version.

    Attributes:
        name: registered model.
        version: its number.
        task: recognition, spoof, …
        target: quantisation target.
        aliases: aliases that point at it.
        created: when it was registered.
        commit: commit it was built at.
        dirty: the work tree differed from that commit.
        synthetic: its operating points were measured on rendered people.
        run_id: run that registered it.
        training_run: run that trained it, if recorded.
        profile: profile of ``params.yaml``.
        digest: digest of its bundle.
    """

    name: str
    version: int
    task: str
    target: str
    aliases: tuple[str, ...]
    created: datetime
    commit: str
    dirty: bool
    synthetic: bool
    run_id: str
    training_run: str
    profile: str
    digest: str


def list_versions(root: Path | None = None) -> list[VersionRow]:
    """All registered versions, newest first within each model.

    Raises:
        RegistryError: the store is absent, locked, moved or out of reach.
    """
    store = open_store(root)
    with store_errors(store.uri):
        aliases = _aliases(store)
        found = store.client.search_model_versions(max_results=10_000)
    rows = [_row(version, aliases) for version in found]
    return sorted(rows, key=lambda row: (row.name, -row.version))


def newest_candidate(
    task: Task, target: str = "fp32", *, into: Path, prefix: str = "", root: Path | None = None
) -> Path:
    """Copy the newest candidate's bundle out of the store.

    Args:
        task: the task.
        target: ``fp32``, an int8 target, or ``int8`` for the default one.
        into: folder for the copy; one folder per model and version is made in it and used again.
        prefix: ``register.prefix``.
        root: project folder.

    Returns:
        Folder of the bundle; a copy, since MLflow would hand out its own files.

    Raises:
        RegistryError: there is no such candidate, or the store cannot be used.
    """
    alias = CANDIDATE if target == "fp32" else f"{CANDIDATE}-{target}"
    return fetch_bundle(open_store(root), model_name(task, prefix), alias, into)


def fetch_bundle(store: Store, name: str, reference: str, into: Path) -> Path:
    """Copy the bundle of a version, given by number or alias, to ``into/<name>-<version>-<digest>``.

    Raises:
        RegistryError: there is no such version, or its files are gone.
    """
    version = get_version(store, name, reference)
    place = into / f"{name}-{version.version}-{version.tags.get('bundle.digest', '')[:8]}"
    if not place.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            _copy(_download(store, version, Path(scratch)), place)
    read_candidate(place)
    return place


def get_version(store: Store, name: str, reference: str) -> ModelVersion:
    """A version by number or alias.

    Raises:
        RegistryError: there is none.
    """
    try:
        if reference.isdigit():
            return store.client.get_model_version(name, reference)
        return store.client.get_model_version_by_alias(name, reference)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            with store_errors(store.uri):
                raise
        raise RegistryError(f"{name} has no version `{reference}`", _way_to(reference)) from error


def _way_to(reference: str) -> str:
    target = reference.removeprefix(f"{CANDIDATE}-")
    if target in (reference, "int8"):
        return "`facegate registry list` shows what there is; `make repro` trains and registers"
    return f"add `{target}` to `quantize.targets` of params.yaml and run `dvc repro`"


def _download(store: Store, version: ModelVersion, scratch: Path) -> Path:
    try:
        with store.current():
            path = download_artifacts(artifact_uri=str(version.source), dst_path=str(scratch))
        if all((Path(path) / file).is_file() for file in FILES):
            return Path(path)
        why = "files are missing"
    except (MlflowException, OSError) as error:
        why = str(error).split("\n")[0]
    raise RegistryError(
        f"{version.name}/{version.version}: its files are gone from {version.source}: {why}",
        "after moving the project run `facegate registry relocate`; otherwise register it again",
    )


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    for file in (*FILES, SIGNATURE):
        if file in FILES or (source / file).is_file():
            shutil.copyfile(source / file, draft / file)
    try:
        draft.rename(place)
    except OSError:  # another process was quicker
        shutil.rmtree(draft)
        if not place.is_dir():
            raise


def _aliases(store: Store) -> dict[tuple[str, int], list[str]]:
    """Aliases by model and version; MLflow's search for versions leaves them out."""
    pointing: dict[tuple[str, int], list[str]] = {}
    for model in store.client.search_registered_models(max_results=1000):
        for alias, version in model.aliases.items():
            pointing.setdefault((model.name, int(version)), []).append(alias)
    return pointing


def _row(version: ModelVersion, aliases: dict[tuple[str, int], list[str]]) -> VersionRow:
    tags = version.tags
    return VersionRow(
        name=str(version.name),
        version=int(version.version),
        task=tags.get("task", ""),
        target=tags.get("quant.target", ""),
        aliases=tuple(sorted(aliases.get((str(version.name), int(version.version)), ()))),
        created=datetime.fromtimestamp((version.creation_timestamp or 0) / 1000, UTC),
        commit=tags.get("git.commit", ""),
        dirty=tags.get("git.dirty") == "true",
        synthetic=tags.get("synthetic") == "true",
        run_id=str(version.run_id or ""),
        training_run=tags.get("run.train", ""),
        profile=tags.get("profile", ""),
        digest=tags.get("bundle.digest", ""),
    )

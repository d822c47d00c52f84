"""Where the service takes its models from: the registry, a pulled release, or candidates on trial.

A source answers two questions: what should be served (asked every few seconds, so it has to be cheap), and the
models themselves, checked and in memory, so that nothing on the disk can change under a running service. Only the
registry source imports MLflow, and only when it is used.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from facegate.contracts import Task
from facegate.errors import BundleError, MissingExtraError, RegistryError
from facegate.registry.release import MANIFEST, Manifest, read_release
from facegate.runtime.bundle import CONTRACT, Bundle, load_bundle
from facegate.runtime.release import DecisionPolicy
from facegate.serving.settings import Settings

PRODUCTION, SHADOW = "production", "shadow"
NEEDED = (Task.RECOGNITION, Task.SPOOF)
ON_TRIAL = "NOT PRODUCTION: candidates on trial, which no gate has passed. Not for use at a door."


@dataclass(frozen=True, eq=False)
class Release:
    """Models that judge a frame together.

    Attributes:
        name: as a person reads it, ``facegate-release/7`` or a folder.
        digest: SHA-256 that names it.
        production: whether it was released for use.
        bundles: model by task.
        points: operating point by task; the task's usual one where none is named.
        versions: number in the registry by task.
        gate: report of the gate; None where there is none.
        policy: what decides beside the thresholds.
    """

    name: str
    digest: str
    production: bool
    bundles: Mapping[Task, Bundle]
    points: Mapping[Task, str]
    versions: Mapping[Task, int]
    gate: dict[str, Any] | None = None
    policy: DecisionPolicy = field(default_factory=DecisionPolicy.usual)

    @property
    def synthetic(self) -> bool:
        """Whether any threshold was measured on rendered people alone."""
        return any(bundle.contract.synthetic_only for bundle in self.bundles.values())


class ReleaseSource(Protocol):
    """Where releases come from."""

    def head(self, alias: str) -> str | None:
        """What the alias names now, as a string that changes when it does; None for nothing.

        Raises:
            FacegateError: the source is out of reach.
        """
        ...

    def load(self, alias: str) -> Release:
        """The release that the alias names, its files checked.

        Raises:
            FacegateError: there is none, or it is broken.
        """
        ...


def choose_source(settings: Settings) -> ReleaseSource:
    """The source that the settings name.

    Raises:
        MissingExtraError: the registry is asked for and MLflow is not installed.
    """
    if settings.source == "folder" and settings.folder is not None:
        return FolderSource(settings.folder)
    if settings.source == "candidates" and settings.folder is not None:
        return BundlesSource(settings.folder)
    if settings.source == "candidates":
        return CandidateSource(settings)
    return RegistrySource(settings)


class RegistrySource:
    """Follows the aliases ``production`` and ``shadow`` in MLflow.

    Args:
        settings: ``project`` and ``prefix`` are used.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            from facegate.registry.follow import Follower
        except ImportError as error:
            raise MissingExtraError(
                f"following the registry needs MLflow, which is not installed ({error.name})",
                "pip install 'facegate[train,serve]', or serve a pulled release: facegate serve --release DIR",
            ) from error
        self._open = lambda: Follower.open(settings.project, settings.prefix)
        self._opened: Follower | None = None

    @property
    def _follower(self) -> Any:
        self._opened = self._opened or self._open()
        return self._opened

    def head(self, alias: str) -> str | None:
        """Number of the release that the alias names."""
        version = self._follower.head(alias)
        return None if version is None else str(version)

    def load(self, alias: str) -> Release:
        """Fetch and check the release that the alias names."""
        follower, version = self._follower, self._follower.head(alias)
        if version is None:
            raise RegistryError(f"no release is {alias}", "`facegate release promote` puts one there")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "release"
            manifest = follower.fetch(version, folder)
            return of_folder(folder, manifest, f"{follower.name}/{version}", follower.gate(version))


class FolderSource:
    """A release as ``facegate release pull`` writes it; a ``shadow`` lies beside it as ``<folder>-shadow``.

    Args:
        folder: the release.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _place(self, alias: str) -> Path:
        return self.folder if alias == PRODUCTION else self.folder.with_name(f"{self.folder.name}-{alias}")

    def head(self, alias: str) -> str | None:
        """Hash of the manifest."""
        return _hash_files([self._place(alias) / MANIFEST])

    def load(self, alias: str) -> Release:
        """Read and check the release."""
        place = self._place(alias)
        return of_folder(place, read_release(place), place.name)


class BundlesSource:
    """Bundles in a folder: ``<task>``, ``models/<task>``, or ``<task>/candidates/fp32`` as the graph writes them.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _found(self) -> dict[Task, Path]:
        places = {
            task: (
                self.folder / task,
                self.folder / "models" / task,
                self.folder / task / "candidates" / "fp32",
            )
            for task in Task
        }
        return {
            task: next(place for place in found if (place / CONTRACT).is_file())
            for task, found in places.items()
            if any((place / CONTRACT).is_file() for place in found)
        }

    def head(self, alias: str) -> str | None:
        """Hash of the contracts."""
        return (
            _hash_files([place / CONTRACT for place in self._found().values()])
            if alias == PRODUCTION
            else None
        )

    def load(self, alias: str) -> Release:
        """Read and check the bundles."""
        return of_bundles(self._found(), self.folder.name, f"{self.folder}: no bundle")


class CandidateSource:
    """The newest candidates of the registry, never promoted.

    Args:
        settings: ``project``, ``prefix`` and ``data`` are used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def _found(self) -> dict[Task, Path]:
        from facegate.registry.listing import newest_candidate

        found, into = {}, self.settings.data / "candidates"
        for task in Task:
            try:
                found[task] = newest_candidate(
                    task, into=into, prefix=self.settings.prefix, root=self.settings.project
                )
            except RegistryError:
                if task in NEEDED:
                    raise
        return found

    def head(self, alias: str) -> str | None:
        """Names of the candidates' folders, which hold their versions."""
        return ",".join(place.name for place in self._found().values()) if alias == PRODUCTION else None

    def load(self, alias: str) -> Release:
        """Fetch and check the candidates."""
        return of_bundles(self._found(), "candidates", "the registry: no candidate")


def of_folder(folder: Path, manifest: Manifest, name: str, gate: dict[str, Any] | None = None) -> Release:
    """A release of a folder whose manifest was checked."""
    parts = manifest.components
    return Release(
        name=name,
        digest=manifest.digest(),
        production=True,
        bundles={task: load_bundle(folder / "models" / task) for task in parts},
        points={task: part.operating_point for task, part in parts.items()},
        versions={task: part.version for task, part in parts.items()},
        gate=gate,
        policy=manifest.policy,
    )


def of_bundles(places: Mapping[Task, Path], name: str, problem: str) -> Release:
    """Loose bundles as a release that is none.

    Raises:
        BundleError: one that is needed is missing, or one is broken.
    """
    missing = [task.value for task in NEEDED if task not in places]
    if missing:
        raise BundleError(f"{problem} of {', '.join(missing)}", "run `make repro`, or name another folder")
    bundles = {task: load_bundle(place) for task, place in places.items()}
    digest = hashlib.sha256("".join(bundle.digest for bundle in bundles.values()).encode()).hexdigest()
    return Release(name, digest, production=False, bundles=bundles, points={}, versions={})


def _hash_files(files: list[Path]) -> str | None:
    """SHA-256 over small files; None if there are none, or one is missing."""
    try:
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest() if files else None
    except OSError:
        return None

"""What a running service asks of the registry: which release an alias names, its files, its gate's report."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from facegate.errors import RegistryError
from facegate.registry.listing import get_version
from facegate.registry.promote import promotions_folder
from facegate.registry.quiet import MlflowException
from facegate.registry.record import read_record
from facegate.registry.release import Manifest
from facegate.registry.releases import fetch_release, release_name
from facegate.registry.store import Store, open_store, store_errors


@dataclass(frozen=True)
class Follower:
    """Looks at the releases of one store, again and again.

    Attributes:
        store: the tracking store, opened once.
        name: registered model of the releases.
        root: project folder, where the promotion record lies.
    """

    store: Store
    name: str
    root: Path | None

    @classmethod
    def open(cls, root: Path | None = None, prefix: str = "") -> "Follower":
        """Open the store of a project folder, or the one in ``MLFLOW_TRACKING_URI``.

        Raises:
            RegistryError: there is none, or it is out of reach.
        """
        return cls(open_store(root), release_name(prefix), root)

    def head(self, alias: str) -> int | None:
        """Number of the release that an alias names; None if it names none.

        Raises:
            RegistryError: the store is out of reach.
        """
        try:
            return int(self.store.client.get_model_version_by_alias(self.name, alias).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            with store_errors(self.store.uri):
                raise
        except Exception as error:  # a server out of reach raises what its HTTP library does
            raise RegistryError(f"{self.store.uri}: {error}", "check that the server runs") from error

    def fetch(self, version: int, out: Path) -> Manifest:
        """Copy a release to a folder that must not exist yet, checked.

        Raises:
            RegistryError: its files are gone or edited.
            BundleError: a bundle in it is broken.
        """
        return fetch_release(self.store, self.name, str(version), out)

    def gate(self, version: int) -> dict[str, Any] | None:
        """The gate's report by which a release was promoted; None where there is none to be found."""
        try:
            found = get_version(self.store, self.name, str(version))
            with store_errors(self.store.uri):
                listed = self.store.client.list_artifacts(str(found.run_id), "gate")
            places = sorted(file.path for file in listed if file.path.endswith(".json"))
            recorded = self._recorded(version)
            place = recorded if recorded in places else places[0] if len(places) == 1 else None
            return self._read(found, place) if place else None
        except RegistryError:
            return None

    def _recorded(self, version: int) -> str:
        entries = read_record(promotions_folder(self.root))
        reports = [e for e in entries if e.release == version and e.action == "promote"]
        return f"gate/{reports[-1].profile}-{reports[-1].gate_sha256[:12]}.json" if reports else ""

    def _read(self, version: ModelVersion, place: str) -> dict[str, Any] | None:
        try:
            with tempfile.TemporaryDirectory() as scratch, self.store.current():
                path = download_artifacts(
                    run_id=version.run_id, artifact_path=place, dst_path=scratch, tracking_uri=self.store.uri
                )
                return json.loads(Path(path).read_text())
        except (MlflowException, OSError, ValueError):
            return None

"""Copies registered versions with their evidence into a release folder; nothing in it refers back to the registry."""

import shutil
import tempfile
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.evidence import BENCHMARK, EVALUATION, SCORES, VALIDATION
from facegate.registry.lineage import resolve
from facegate.registry.listing import fetch_bundle
from facegate.registry.quiet import MlflowException
from facegate.registry.release import EVIDENCE, MODELS
from facegate.registry.store import Store
from facegate.runtime import signing

_KEPT = {
    EVALUATION: "evaluation.json",
    SCORES: "*.parquet",
    BENCHMARK: "benchmark.json",
    VALIDATION: "*.json",
}


def place_part(store: Store, folder: Path, task: Task, reference: str, params: Params) -> tuple[str, int]:
    """Copy the bundle and the evidence of a registered version into a release folder; its model and number.

    Raises:
        RegistryError: there is no such version, or it is of another task.
    """
    version = resolve(store, reference, params.register_.prefix)
    if version.tags.get("task") != task:
        raise RegistryError(f"`{reference}` is no {task} model", f"name a version of {task}")
    with tempfile.TemporaryDirectory() as scratch:
        bundle = fetch_bundle(store, str(version.name), str(version.version), Path(scratch))
        shutil.copytree(bundle, folder / MODELS / task, ignore=shutil.ignore_patterns(signing.SIGNATURE))
        evidence = folder / EVIDENCE / task
        evidence.mkdir(parents=True)
        for place, pattern in _KEPT.items():
            _keep(store, version, place, pattern, evidence)
    return str(version.name), int(version.version)


def _keep(store: Store, version: ModelVersion, place: str, pattern: str, evidence: Path) -> None:
    """Copy the first file that fits from one folder of the registering run, under the folder's name."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = sorted(artifacts(store, version, place, Path(scratch)).glob(pattern))
        except RegistryError:
            return  # absent evidence is the gate's concern, which names what it lacks
        if found:
            shutil.copyfile(found[0], evidence / f"{place}{found[0].suffix}")


def artifacts(store: Store, version: ModelVersion, place: str, scratch: Path) -> Path:
    """Files of one folder among the artifacts of a version's run; they may be the store's own, so copy them.

    Raises:
        RegistryError: they are gone.
    """
    try:
        with store.current():
            return Path(
                download_artifacts(
                    run_id=version.run_id, artifact_path=place, dst_path=str(scratch), tracking_uri=store.uri
                )
            )
    except (MlflowException, OSError) as error:
        raise RegistryError(
            f"{version.name}/{version.version}: its files `{place}` are gone",
            "after moving the project run `facegate registry relocate`",
        ) from error

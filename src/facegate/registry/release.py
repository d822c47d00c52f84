"""Finishes a release folder: hashes, thresholds, policy, and the signature if this project signs.

How the folder looks and how it is read stands in :mod:`facegate.runtime.release`, which needs neither MLflow nor
Arrow.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from facegate.contracts import Task
from facegate.runtime import signing
from facegate.runtime.bundle import load_bundle, sign_bundle
from facegate.runtime.policy import choose_policy
from facegate.runtime.release import (
    EVIDENCE,
    MANIFEST,
    MODELS,
    SYSTEM,
    Component,
    DecisionPolicy,
    Manifest,
    detector_sha256,
    file_hashes,
    read_release,
)

__all__ = [
    "EVIDENCE",
    "MANIFEST",
    "MODELS",
    "SYSTEM",
    "Component",
    "DecisionPolicy",
    "Manifest",
    "detector_sha256",
    "read_release",
    "release_key",
    "sign_release",
    "write_manifest",
]


def write_manifest(
    folder: Path, origins: Mapping[Task, tuple[str, int]], points: Mapping[Task, str] | None = None
) -> Manifest:
    """Write ``release.json`` over models and evidence that are in place; again after evidence was added.

    Args:
        folder: holds ``models/<role>`` and ``evidence/<role>``.
        origins: registered model and version by role.
        points: operating points by role; the preferred one of its contract where none is named.

    Raises:
        BundleError: a bundle is broken or lacks the operating point.
    """
    components = {}
    synthetic = False
    for task, (model, version) in sorted(origins.items()):
        bundle = load_bundle(folder / MODELS / task, signed=False)
        policy = choose_policy(bundle.contract, (points or {}).get(task))
        synthetic = synthetic or bundle.contract.synthetic_only
        components[task] = Component(
            model=model,
            version=version,
            target=bundle.contract.quantisation.target,
            bundle_sha256=bundle.digest,
            operating_point=policy.name,
            threshold=policy.point.threshold,
        )
    manifest = Manifest(
        components=components,
        detector_sha256=detector_sha256(),
        synthetic_only=synthetic,
        files=file_hashes(folder),
    )
    (folder / MANIFEST).write_text(manifest.text())
    return manifest


def sign_release(folder: Path, manifest: Manifest) -> None:
    """Sign every bundle and then ``release.json``, by the key in ``FACEGATE_SIGNING_KEY``."""
    for task in manifest.components:
        sign_bundle(folder / MODELS / task)
    (folder / signing.SIGNATURE).write_bytes(signing.sign(manifest.text().encode()))


def release_key(manifest: Manifest, data: str = "") -> str:
    """What makes two releases the same: models, thresholds, policy and test data, but not measured times.

    Args:
        manifest: the release.
        data: digest of the pictures that it was evaluated on as a system; empty for none.
    """
    values = manifest.model_dump(mode="json", exclude={"files"})
    return hashlib.sha256(json.dumps([values, data], sort_keys=True).encode()).hexdigest()

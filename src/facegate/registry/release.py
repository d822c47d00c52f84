"""A release: the models that judge a frame together, with their thresholds and their evidence, as one folder.

::

    release.json                 which versions, which operating points, SHA-256 of every other file
    models/<role>/…              a bundle each
    evidence/<role>/…            evaluation.json, scores.parquet, benchmark.json, validation.json

The folder needs nothing outside itself: it is copied out of the registry, never referenced. Its digest is the
SHA-256 of ``release.json``, which holds those of all other files.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from facegate.contracts import Frozen, Task
from facegate.errors import BundleError, RegistryError
from facegate.runtime.bundle import load_bundle
from facegate.runtime.policy import choose_policy

MANIFEST = "release.json"
DETECTOR = "face_detection_yunet_2023mar.onnx"
RELEASE_VERSION = 1


class Component(Frozen):
    """One model of a release.

    Attributes:
        model: registered model.
        version: its version.
        target: quantisation target.
        bundle_sha256: digest of the bundle.
        operating_point: name of the threshold that decides.
        threshold: its value.
    """

    model: str
    version: int
    target: str
    bundle_sha256: str
    operating_point: str
    threshold: float


class Manifest(Frozen):
    """``release.json``.

    Attributes:
        release_version: version of this format.
        components: the models by role.
        detector_sha256: SHA-256 of the face detector that the models were measured with.
        synthetic_only: no operating point was measured on real people.
        files: SHA-256 of every file of the folder but this one, by relative path.
    """

    release_version: int = RELEASE_VERSION
    components: dict[Task, Component]
    detector_sha256: str
    synthetic_only: bool
    files: dict[str, str]

    def text(self) -> str:
        """The one form in which it is written."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"

    def digest(self) -> str:
        """SHA-256 of ``release.json``: the identity of the release."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def write_manifest(
    folder: Path, origins: Mapping[Task, tuple[str, int]], points: Mapping[Task, str] | None = None
) -> Manifest:
    """Finish a release folder whose models and evidence are in place.

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
        bundle = load_bundle(folder / "models" / task)
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
        files=_hashes(folder),
    )
    (folder / MANIFEST).write_text(manifest.text())
    return manifest


def read_release(folder: Path) -> Manifest:
    """Read a release folder and check that it is complete and unedited.

    Raises:
        RegistryError: a file is missing, edited or extra, or a bundle is broken. The file is named.
    """
    try:
        text = (folder / MANIFEST).read_text()
        manifest = Manifest.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise RegistryError(f"{folder / MANIFEST}: {str(error).splitlines()[0]}", _PULL) from error
    if text != manifest.text():
        raise RegistryError(f"{folder / MANIFEST}: was edited", _PULL)
    found = _hashes(folder)
    for name in sorted(found.keys() | manifest.files.keys()):
        if found.get(name) != manifest.files.get(name):
            state = (
                "missing" if name not in found else "edited" if name in manifest.files else "not part of it"
            )
            raise RegistryError(f"{folder / name}: {state}", _PULL)
    for task, component in manifest.components.items():
        bundle = load_bundle(folder / "models" / task)
        if bundle.digest != component.bundle_sha256:
            raise BundleError(f"{folder / 'models' / task}: is not the bundle that was released", _PULL)
        if component.operating_point not in bundle.contract.operating_points:
            raise BundleError(f"{folder / 'models' / task}: no point {component.operating_point}", _PULL)
    return manifest


def detector_sha256() -> str:
    """SHA-256 of the detector that this installation carries."""
    model = files("facegate.faces").joinpath("assets", DETECTOR)
    return hashlib.sha256(model.read_bytes()).hexdigest()


def _hashes(folder: Path) -> dict[str, str]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:  # not from `datasets`: a device reads releases without Arrow
        return hashlib.file_digest(file, "sha256").hexdigest()


_PULL = "take it anew: `facegate pull release@production --out DIR`"

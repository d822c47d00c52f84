"""A release as a folder: the models that judge a frame together, with their thresholds, policy and evidence.

::

    release.json                 which versions, which operating points, which policy; SHA-256 of every other file
    signature.json               signature of release.json, where the project signs
    models/<role>/…              a bundle each
    evidence/<role>/…            evaluation.json, scores.parquet, benchmark.json, validation.json
    evidence/system/…            the models evaluated together: evaluation.json, scores.parquet

The folder needs nothing outside itself: it is copied out of the registry, never referenced, and read here with the
edge install alone. Its digest is the SHA-256 of ``release.json``, which holds those of all other files.
"""

import hashlib
import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from facegate.contracts import Frozen, Task
from facegate.errors import BundleError, RegistryError
from facegate.faces.detect import MODEL, Detector
from facegate.faces.quality import QualityLimits
from facegate.runtime import signing
from facegate.runtime.bundle import load_bundle
from facegate.runtime.engine import FaceEngine, Gallery
from facegate.runtime.fusion import FusionParams
from facegate.runtime.models import Recogniser, SpoofJudge

MANIFEST, MODELS, EVIDENCE, SYSTEM = "release.json", "models", "evidence", "system"
RELEASE_VERSION = 1
_OWN = (MANIFEST, signing.SIGNATURE)


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


class DecisionPolicy(Frozen):
    """What decides beside the thresholds, so that a release answers alike wherever it runs.

    Attributes:
        detector_score: least confidence of a face, 0 to 1.
        detector_side: longer side at which the detector looks, pixels.
        quality: limits of the quality gate, fields of :class:`~facegate.faces.quality.QualityLimits`.
        fusion: how frames of a track add up, fields of :class:`~facegate.runtime.fusion.FusionParams`.
    """

    detector_score: float
    detector_side: int
    quality: dict[str, float]
    fusion: dict[str, float]

    @classmethod
    def usual(cls) -> "DecisionPolicy":
        """What this version of facegate does unless told otherwise."""
        detector = Detector()
        return cls(
            detector_score=detector.score,
            detector_side=detector.side,
            quality=asdict(QualityLimits()),
            fusion=asdict(FusionParams()),
        )

    def detector(self, threads: int = 1) -> Detector:
        """The face detector as this policy sets it."""
        return Detector(self.detector_score, self.detector_side, threads=threads)

    def limits(self) -> QualityLimits:
        """The quality gate."""
        return QualityLimits(**self.quality)

    def fusing(self) -> FusionParams:
        """How frames of a track add up."""
        return FusionParams(**self.fusion)  # pyright: ignore[reportArgumentType]


class Manifest(Frozen):
    """``release.json``.

    Attributes:
        release_version: version of this format.
        components: the models by role.
        policy: what decides beside their thresholds.
        detector_sha256: SHA-256 of the face detector that the models were measured with.
        synthetic_only: no operating point was measured on real people.
        files: SHA-256 of every file of the folder but this one and signatures, by relative path.
    """

    release_version: int = RELEASE_VERSION
    components: dict[Task, Component]
    policy: DecisionPolicy = Field(default_factory=DecisionPolicy.usual)
    detector_sha256: str
    synthetic_only: bool
    files: dict[str, str]

    def text(self) -> str:
        """The one form in which it is written."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"

    def digest(self) -> str:
        """SHA-256 of ``release.json``: the identity of the release."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def read_release(folder: Path, *, signed: bool = True) -> Manifest:
    """Read a release folder and check that it is complete and unedited.

    Args:
        folder: as ``facegate pull`` wrote it.
        signed: where ``FACEGATE_PUBLIC_KEY`` is set, also demand signatures by that key.

    Raises:
        RegistryError: a file is missing, edited or extra. The file is named.
        BundleError: a bundle is broken, is not the one that was released, or a signature does not hold.
    """
    try:
        text = (folder / MANIFEST).read_text()
        manifest = Manifest.model_validate_json(text)
    except OSError as error:
        raise RegistryError(f"{folder / MANIFEST}: {error.strerror}", _PULL) from error
    except ValueError as error:  # no text, or no manifest
        raise RegistryError(f"{folder / MANIFEST}: {str(error).splitlines()[0]}", _PULL) from error
    if text != manifest.text():
        raise RegistryError(f"{folder / MANIFEST}: was edited", _PULL)
    if signed and signing.trust_configured():
        signing.check(text.encode(), folder)
    found = file_hashes(folder)
    for name in sorted(found.keys() | manifest.files.keys()):
        if found.get(name) != manifest.files.get(name):
            state = (
                "missing" if name not in found else "edited" if name in manifest.files else "not part of it"
            )
            raise RegistryError(f"{folder / name}: {state}", _PULL)
    for task, component in manifest.components.items():
        bundle = load_bundle(folder / MODELS / task, signed=signed)
        if bundle.digest != component.bundle_sha256:
            raise BundleError(f"{folder / MODELS / task}: is not the bundle that was released", _PULL)
        if component.operating_point not in bundle.contract.operating_points:
            raise BundleError(f"{folder / MODELS / task}: no point {component.operating_point}", _PULL)
    return manifest


def open_release(
    folder: Path,
    manifest: Manifest | None = None,
    *,
    gallery: Gallery | None = None,
    threads: int = 1,
    signed: bool = True,
) -> FaceEngine:
    """The engine of a release: its models at its operating points, with its detector and quality limits.

    Args:
        folder: as ``facegate pull`` wrote it.
        manifest: what :func:`read_release` returned, if it was called already.
        gallery: whom to look for.
        threads: threads of each network.
        signed: as for :func:`read_release`.

    Raises:
        RegistryError: see :func:`read_release`; or this facegate carries another detector.
        BundleError: a bundle is broken.
    """
    found = manifest or read_release(folder, signed=signed)
    if found.detector_sha256 != detector_sha256():
        raise RegistryError(
            f"{folder}: was measured with another face detector than this facegate carries",
            "install the facegate that made the release, or evaluate and promote it anew",
        )
    policy, points = found.policy, {task: part.operating_point for task, part in found.components.items()}
    roles = (Task.RECOGNITION, Task.SPOOF)
    bundles = {task: load_bundle(folder / MODELS / task, signed=signed) for task in roles}
    return FaceEngine(
        Recogniser(bundles[Task.RECOGNITION], threads, points[Task.RECOGNITION]),
        SpoofJudge(bundles[Task.SPOOF], threads, points[Task.SPOOF]),
        gallery,
        detector=policy.detector(threads),
        limits=policy.limits(),
    )


def detector_sha256() -> str:
    """SHA-256 of the detector that this installation carries."""
    model = files("facegate.faces").joinpath("assets", MODEL)
    return hashlib.sha256(model.read_bytes()).hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a release that ``release.json`` lists, by relative path."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in _OWN)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_PULL = "take it anew: `facegate pull release@production --out DIR`"

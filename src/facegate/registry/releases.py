"""Releases in the registry: made from registered versions, evaluated as one system, registered once, fetched as a folder.

A service or a device may rely on :func:`pull` and :func:`served_version` here, and on ``read_release`` and
``open_release`` of :mod:`facegate.runtime.release`, which need no MLflow.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.aliases import current_aliases
from facegate.registry.describe import markdown_table
from facegate.registry.lineage import resolve
from facegate.registry.listing import get_version
from facegate.registry.names import CANDIDATE, CANDIDATE_INT8, model_name
from facegate.registry.quiet import MlflowException
from facegate.registry.register import Registered, find_version
from facegate.registry.release import (
    MANIFEST,
    Manifest,
    read_release,
    release_key,
    sign_release,
    write_manifest,
)
from facegate.registry.release_parts import artifacts, place_part
from facegate.registry.store import Store, init_store, open_store, store_errors
from facegate.registry.system import open_presentations
from facegate.registry.system_evidence import evaluate_system
from facegate.registry.tracking import stage_run
from facegate.runtime import signing

FOLDER = "release"
ROLES_NEEDED = (Task.RECOGNITION, Task.SPOOF)
_NOTE = (
    "**What goes to production.** A release holds the models that judge a frame together, with their thresholds "
    "and evidence.\n\nAliases: `candidate` newest · `staging`, `production` set by `facegate promote` after the "
    "gate · `previous` where `facegate rollback` leads. Do not set them by hand: the promotion record would not "
    "know of it, and `facegate registry verify` would say so."
)


def release_name(prefix: str = "") -> str:
    """Name of the registered model that holds releases."""
    return f"{prefix}facegate-release"


def usual_parts(params: Params, root: Path | None = None) -> dict[Task, str]:
    """The int8 candidate of every task that has one: what a release is made of where nothing else is named.

    Raises:
        RegistryError: the store cannot be used.
    """
    store, prefix = init_store(root), params.register_.prefix
    return {
        task: f"{task}@{CANDIDATE_INT8}"
        for task in (Task.RECOGNITION, Task.SPOOF, Task.LIVENESS, Task.EYES)
        if CANDIDATE_INT8 in current_aliases(store, model_name(task, prefix))
    }


def create_release(
    references: Mapping[Task, str],
    params: Params,
    *,
    points: Mapping[Task, str] | None = None,
    presentations: Path | None = None,
    root: Path | None = None,
) -> Registered:
    """Put registered versions together, evaluate them as one system, and register the outcome as a candidate; once.

    The same models at the same operating points, evaluated on the same pictures, are the same release: it is found
    again, and only the alias ``candidate`` moves to it. With ``FACEGATE_SIGNING_KEY`` set it is signed.

    Args:
        references: version by role, as ``recognition/7`` or ``spoof@candidate-int8``.
        params: all parameters; ``evaluate`` is used.
        points: operating points by role; else those of ``release.points``, else the preferred one of each contract.
        presentations: pack of presentations for the evaluation as a system, ``data/samples/attacks``; None leaves it
            out, and then no gate is passed.
        root: project folder.

    Raises:
        RegistryError: a role or version is missing, or the store cannot be used.
        BundleError: a bundle is broken, or lacks the operating point.
        PackError: the presentations are damaged.
    """
    missing = [task.value for task in ROLES_NEEDED if task not in references]
    if missing:
        raise RegistryError(
            f"a release needs a version for {', '.join(missing)}",
            "name one, for instance --recognition recognition@candidate --spoof spoof@candidate",
        )
    store, name = init_store(root), release_name(params.register_.prefix)
    wanted = {**params.release.points, **(points or {})}
    pack = open_presentations(presentations) if presentations else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / FOLDER
        origins = {task: place_part(store, folder, task, ref, params) for task, ref in references.items()}
        manifest = write_manifest(folder, origins, wanted)
        key = release_key(manifest, pack.digest if pack else "")
        with store.locked("registry"):
            found = find_version(store, name, key, "release.key")
            if found is None:
                if presentations is not None:
                    evaluate_system(folder, manifest, presentations, params.evaluate)
                    manifest = write_manifest(folder, origins, wanted)
                if signing.signing_configured():
                    sign_release(folder, manifest)
            version = found or _register(store, name, folder, manifest, key, params, root)
            with store_errors(store.uri):
                store.client.set_registered_model_alias(name, CANDIDATE, str(version.version))
    return Registered(name, str(version.version), FOLDER, (CANDIDATE,), created=found is None)


def evaluate_release(
    reference: str, params: Params, presentations: Path, root: Path | None = None
) -> Registered:
    """Evaluate the models of a release again, on the pictures that lie here and on this machine.

    Returns:
        The release with that evidence: another version where pictures or parts differ, else the same one.
    """
    with open_copy(reference, prefix=params.register_.prefix, root=root) as (_, manifest):
        parts = {task: f"{part.model}/{part.version}" for task, part in manifest.components.items()}
        points = {task: part.operating_point for task, part in manifest.components.items()}
    return create_release(parts, params, points=points, presentations=presentations, root=root)


def fetch_release(store: Store, name: str, reference: str, out: Path, *, signed: bool = True) -> Manifest:
    """Copy a release, by number or alias, to a folder that must not exist yet; whole or not at all.

    Files are copied out, never referenced: nothing that happens to the registry later changes the folder.

    Args:
        store: the registry.
        name: registered model of the releases, see :func:`release_name`.
        reference: number or alias.
        out: the folder.
        signed: where ``FACEGATE_PUBLIC_KEY`` is set, demand signatures by that key.

    Raises:
        RegistryError: there is no such release, its files are gone or edited, or the folder exists.
    """
    if out.exists():
        raise RegistryError(f"{out}: exists already", "name a folder that does not exist, or delete it")
    version = get_version(store, name, reference)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copytree(artifacts(store, version, FOLDER, Path(scratch)), draft / FOLDER)
        manifest = read_release(draft / FOLDER, signed=signed)
        if manifest.digest() != version.tags.get("bundle.digest"):
            raise RegistryError(
                f"{name}/{version.version}: its files are not those that were registered",
                "`facegate registry verify` names what was edited; roll back to another release",
            )
        (draft / FOLDER).rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def pull(reference: str, out: Path, *, prefix: str = "", root: Path | None = None) -> Manifest:
    """A release as a folder that runs without MLflow: ``pull("release@production", Path("dist"))``.

    Raises:
        RegistryError: see :func:`fetch_release`.
    """
    store = init_store(root)
    version = resolve(store, reference, prefix)
    if version.name != release_name(prefix):
        raise RegistryError(f"`{reference}` is a single model", "pull a release: release@production")
    return fetch_release(store, str(version.name), str(version.version), out)


@contextmanager
def open_copy(
    reference: str, *, prefix: str = "", root: Path | None = None
) -> Iterator[tuple[Path, Manifest]]:
    """A release in a folder of its own for as long as the block lasts; its folder and manifest.

    Raises:
        RegistryError: see :func:`fetch_release`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / FOLDER
        yield folder, pull(reference, folder, prefix=prefix, root=root)


def served_version(
    reference: str = "production", *, prefix: str = "", root: Path | None = None
) -> tuple[int, str]:
    """Which release an alias names now, for a service that polls it: its number and its digest.

    Raises:
        RegistryError: the alias names nothing, or the store cannot be reached; what is being served stays good.
    """
    version = get_version(open_store(root), release_name(prefix), reference)
    return int(version.version), version.tags.get("bundle.digest", "")


def _register(
    store: Store, name: str, folder: Path, manifest: Manifest, key: str, params: Params, root: Path | None
) -> ModelVersion:
    with stage_run("release", None, params, inputs={}, root=root) as run:
        run.file(folder, FOLDER)
        text = release_text(manifest)
        run.describe(text)
        tags = {
            "bundle.digest": manifest.digest(),
            "release.key": key,
            "signed": str((folder / signing.SIGNATURE).is_file()).lower(),
            "task": "release",
            "synthetic": str(manifest.synthetic_only).lower(),
            "profile": params.profile,
            **{task.value: f"{c.model}/{c.version}" for task, c in manifest.components.items()},
        }
        run.tag({"model": name})
        with store_errors(store.uri), store.current():
            _ensure_model(store, name)
            return store.client.create_model_version(
                name, f"runs:/{run.run_id}/{FOLDER}", run.run_id, tags, description=text
            )


def _ensure_model(store: Store, name: str) -> None:
    try:
        store.client.create_registered_model(name, {"task": "release"}, _NOTE)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def release_text(manifest: Manifest, gate: str = "") -> str:
    """Description of a release, with its gate's table once there is one."""
    rows = [
        (task.value, f"{c.model}/{c.version}", c.target, c.operating_point, f"{c.threshold:.4f}")
        for task, c in manifest.components.items()
    ]
    table = markdown_table(("role", "version", "target", "operating point", "threshold"), rows)
    synthetic = "> **Synthetic.** Measured on rendered people; says nothing about real faces.\n\n"
    head = synthetic if manifest.synthetic_only else ""
    return f"{head}{table}\n\nDigest `{manifest.digest()[:12]}` ({MANIFEST}).\n\n{gate}".strip()

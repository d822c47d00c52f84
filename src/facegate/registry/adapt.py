"""``facegate adapt``: a registered recogniser, moved to a site by its unlabelled faces, as a new version.

Everything lies in ``imports/<model>-<version>-adapted/`` in the layout of the graph's own outputs. The versions take the
aliases ``adapted`` and ``adapted-<target>`` and name their parent in the tag ``parent``.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.contracts import Task, TrainingData
from facegate.errors import RegistryError
from facegate.exporting.bundles import PARITY
from facegate.faces.detect import Detector
from facegate.params import Params
from facegate.registry.imports import measure
from facegate.registry.initial import fp32_recogniser
from facegate.registry.lineage import resolve
from facegate.registry.register import Registered
from facegate.registry.site import append_shift, compare_shifts, disturbed, fit_shift, kinds
from facegate.registry.store import open_store, store_errors
from facegate.registry.wrapping import run_wrapped
from facegate.runtime.bundle import Bundle, write_bundle
from facegate.sources.records import files_in
from facegate.training.people import largest_face

FEWEST_FACES = 40
BATCH = 64


class Adapted(NamedTuple):
    """What came of it.

    Attributes:
        chosen: kind of shift.
        separations: cross-validated separation by kind.
        faces: faces that were used.
        skipped: pictures without a usable face.
        versions: what was registered; empty if no shift was better than none.
    """

    chosen: str
    separations: dict[str, float]
    faces: int
    skipped: int
    versions: list[Registered]


def adapt(reference: str, images: Path, params: Params, *, root: Path | None = None) -> Adapted:
    """Fit a shift to a folder of faces, choose it by cross-validation, and register the network with it.

    Args:
        reference: fp32 version of a recogniser: ``recognition@candidate``, ``recognition/7``.
        images: folder of pictures, looked through with its subfolders; the largest face of each is taken. Who is seen
            need not be known. Pictures of one person only would teach the person.
        params: all parameters; ``prepare``, ``quantize``, ``evaluate`` and ``benchmark`` are used.
        root: project folder.

    Raises:
        RegistryError: there is no such version, it is no fp32 recogniser, there are too few faces, or the graph's crops
            are missing.
    """
    store, project = open_store(root), root or Path()
    version = resolve(store, reference, params.register_.prefix)
    name = str(version.name)
    parent = fp32_recogniser(store, version, root)
    crops = project / "data" / "crops" / Task.RECOGNITION
    if not crops.is_dir():
        raise RegistryError(
            f"{crops}: no crops to measure the result on", "run `dvc repro prepare@recognition`"
        )
    faces, skipped = site_faces(images, params.prepare.detector_score)
    copies = np.stack([disturbed(face, np.random.default_rng(k)) for k, face in enumerate(faces)])
    embeddings, copied = _embed(parent.model, faces), _embed(parent.model, copies)
    separations = dict(compare_shifts(embeddings, copied))
    chosen = max(separations, key=lambda kind: separations[kind])
    if chosen == "none":
        return Adapted(chosen, separations, len(faces), skipped, [])
    model = append_shift(parent.model, fit_shift(embeddings, kinds()[chosen]))
    place = project / "imports" / f"{name}-{version.version}-adapted"
    shutil.rmtree(place, ignore_errors=True)
    report = {
        "parent": f"{name}/{version.version}",
        "chosen": chosen,
        "separations": separations,
        "faces": len(faces),
        "skipped": skipped,
        "measured": "five-fold, on faces that were not fitted to: d' of disturbed copies against other faces",
    }
    _write(place / "exported" / "fp32", model, parent, faces, report)
    versions = measure(Task.RECOGNITION, place, crops, "adapted", params, root=root)
    with store_errors(store.uri):
        for done in versions:
            store.client.set_model_version_tag(name, done.version, "parent", report["parent"])
            store.client.set_model_version_tag(name, done.version, "adapted", chosen)
    return Adapted(chosen, separations, len(faces), skipped, versions)


def site_faces(folder: Path, score: float) -> tuple[NDArray[np.uint8], int]:
    """The largest face of each picture below a folder, aligned: (N, 112, 112, 3), and how many pictures had none.

    Raises:
        RegistryError: the folder is missing, or holds too few faces.
    """
    if not folder.is_dir():
        raise RegistryError(f"{folder}: no such folder", "name a folder of pictures of the site")
    files, detector = files_in(folder), Detector(score=score)
    found = [
        largest_face(file, detector)
        for file in tqdm(files, desc="looking for faces", unit="picture", leave=False)
    ]
    crops = [crop for crop in found if crop is not None]
    if len(crops) < FEWEST_FACES:
        raise RegistryError(
            f"{folder}: {len(crops)} faces in {len(files)} pictures; at least {FEWEST_FACES} are needed",
            "name a folder with more pictures of the site, of as many people as possible",
        )
    return np.stack(crops), len(files) - len(crops)


def _embed(model: bytes, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([run_wrapped(model, faces[at : at + BATCH]) for at in range(0, len(faces), BATCH)])


def _write(
    out: Path, model: bytes, parent: Bundle, faces: NDArray[np.uint8], report: dict[str, object]
) -> None:
    digest = hashlib.sha256(faces.tobytes()).hexdigest()
    site = TrainingData(
        name="site pictures", licence="the operator's own", commercial_use=True, digest=digest
    )
    contract = parent.contract.model_copy(
        update={
            "operating_points": {},
            "training_data": (*parent.contract.training_data, site),
            "data_digests": {**parent.contract.data_digests, "site": digest},
        }
    )
    golden = parent.golden.inputs
    write_bundle(out, model, contract, golden, run_wrapped(model, golden))
    (out / PARITY).write_text(
        json.dumps({"reference": "its parent, shifted", **report}, indent=1, sort_keys=True) + "\n"
    )

"""``facegate finetune``: a registered recogniser learns its operator's own people, as a new version.

Everything lies in ``imports/<model>-<version>-finetuned/`` in the layout of the graph's own outputs. The versions take the
aliases ``finetuned`` and ``finetuned-<target>`` and name their parent in the tag ``parent``.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import CROP_COLUMNS, Split, Task, TrainingData
from facegate.datasets.batches import Crops, load_crops
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import RegistryError
from facegate.evaluation.finetuned import Faces, before_and_after, verdict
from facegate.evaluation.scores import rows_of
from facegate.exporting.bundles import PARITY, export_bundle, run_onnx
from facegate.params import Params
from facegate.registry.imports import measure
from facegate.registry.initial import TRAINED, fetch_trained, fp32_recogniser, refuse_terms
from facegate.registry.lineage import resolve
from facegate.registry.register import Registered
from facegate.registry.store import open_store, store_errors
from facegate.registry.tracking import stage_run
from facegate.runtime.bundle import Bundle, load_bundle, write_bundle
from facegate.training.finetune import Lesson
from facegate.training.finetune import finetune as train
from facegate.training.people import People, read_people

REPORT = "finetune.json"


class Finetuned(NamedTuple):
    """What came of it.

    Attributes:
        report: see :func:`facegate.evaluation.finetuned.before_and_after`, with the parent and the numbers of pictures.
        gained: the people are told apart better in held-out pictures.
        lost: strangers are told apart worse, beyond the interval.
        versions: what was registered; empty if nothing was gained or strangers lost.
    """

    report: dict[str, Any]
    gained: bool
    lost: bool
    versions: list[Registered]


def finetune(
    reference: str, folder: Path, params: Params, *, strangers: Path | None = None, root: Path | None = None
) -> Finetuned:
    """Train a recogniser on with a folder of people, measure it before and after, and register it if it gained.

    Args:
        reference: fp32 version of a recogniser that was trained here: ``recognition@candidate``, ``recognition/7``.
        folder: one folder of pictures per person.
        params: all parameters; ``finetune`` is the recipe, ``prepare``, ``trainer``, ``quantize``, ``evaluate`` and
            ``benchmark`` are as in the graph.
        strangers: crop pack of other people: the training split holds the network in place, the validation split sets
            thresholds, the test split is measured on. The graph's own by default.
        root: project folder.

    Raises:
        RegistryError: there is no such version, it is no fp32 recogniser, it was not trained here, its terms forbid what
            the project is for, or the strangers are missing.
        SourceError: the folder is missing, or holds too few people, or one of them too few usable pictures.
    """
    store, project = open_store(root), root or Path()
    version = resolve(store, reference, params.register_.prefix)
    parent = fp32_recogniser(store, version, root)
    name = f"{version.name}/{version.version}"
    refuse_terms(name, parent.contract.training_data, params)
    crops = strangers or project / "data" / "crops" / Task.RECOGNITION
    if not crops.is_dir():
        raise RegistryError(
            f"{crops}: no strangers to hold the network in place and to measure it on",
            "run `dvc repro prepare@recognition`, or name a crop pack with --strangers",
        )
    recipe = params.finetune
    people = read_people(folder, params.prepare.detector_score, recipe.held_out)
    trained = fetch_trained(store, version, parent, root)
    place = project / "imports" / f"{version.name}-{version.version}-finetuned"
    shutil.rmtree(place, ignore_errors=True)
    report: dict[str, Any] = {"parent": name, **_counts(people)}
    run_file = place / "train_run.json"
    with stage_run(
        "finetune",
        Task.RECOGNITION,
        params,
        inputs={"crops": crops},
        sections=["finetune", "trainer"],
        reference=run_file,
        root=root,
    ) as run:
        run.tag({"parent": name})
        lesson = Lesson(people.learned, load_crops(crops, Split.TRAIN), load_crops(crops, Split.VAL))
        about = {"parent": name, "people": people.digest, "crops": open_pack(crops).digest}
        train(trained, lesson, recipe, params.trainer, place / TRAINED, about, run)
        child = _export(place, parent, people, crops, params)
        report |= before_and_after(
            *_faces(people, open_pack(crops, CROP_COLUMNS), parent, child), params.evaluate
        )
        (place / REPORT).write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
        run.file(place / TRAINED, TRAINED)
        run.file(place / REPORT)
    gained, lost = verdict(report)
    if lost or not gained:
        return Finetuned(report, gained, lost, [])
    _beside_parity(place / "exported" / "fp32" / PARITY, report)
    versions = measure(Task.RECOGNITION, place, crops, "finetuned", params, training=run_file, root=root)
    with store_errors(store.uri):
        for done in versions:
            kinds = {"parent": name, "finetuned": f"{report['persons']} people, {report['learned']} pictures"}
            for key, value in kinds.items():
                store.client.set_model_version_tag(done.name, done.version, key, value)
    return Finetuned(report, gained, lost, versions)


def _counts(people: People) -> dict[str, int]:
    return {
        "persons": int(np.unique(people.learned.subjects).size),
        "learned": len(people.learned),
        "held_out_pictures": len(people.held_out),
        "skipped": len(people.skipped),
    }


def _export(place: Path, parent: Bundle, people: People, crops: Path, params: Params) -> Bundle:
    """The fp32 bundle of what was trained, its contract with the parent's data and the people's."""
    out = place / "exported" / "fp32"
    export_bundle(place / TRAINED, crops, out, params)
    made = load_bundle(out, signed=False)
    own = TrainingData(
        name="the operator's people", licence="the operator's own", commercial_use=True, digest=people.digest
    )
    contract = made.contract.model_copy(
        update={
            "training_data": (*parent.contract.training_data, own),
            "data_digests": {
                **parent.contract.data_digests,
                **made.contract.data_digests,
                "people": people.digest,
            },
        }
    )
    parity = (out / PARITY).read_text()
    bundle = write_bundle(out, made.model, contract, made.golden.inputs, made.golden.outputs)
    (out / PARITY).write_text(parity)
    return bundle


def _faces(people: People, pack: Pack, parent: Bundle, child: Bundle) -> tuple[Faces, Faces, Faces, Faces]:
    """Learned and held-out pictures, validation and test strangers, as both networks see them."""

    def seen(pictures: NDArray[np.uint8], subjects: NDArray[Any]) -> Faces:
        return Faces(subjects.astype(str), run_onnx(parent.model, pictures), run_onnx(child.model, pictures))

    def of_split(split: Split) -> Faces:
        rows = rows_of(pack, split)
        return seen(pack.images(rows), pack.column("subject_id")[rows])

    def of_people(crops: Crops) -> Faces:
        return seen(crops.images, np.char.add("own/", crops.subjects))

    return of_people(people.learned), of_people(people.held_out), of_split(Split.VAL), of_split(Split.TEST)


def _beside_parity(path: Path, report: dict[str, Any]) -> None:
    """What is registered as evidence holds the comparison with the parent too."""
    parity = json.loads(path.read_text())
    path.write_text(json.dumps({**parity, "finetuned": report}, indent=2, sort_keys=True) + "\n")

"""The trained weights behind a registered version, for training that goes on from them."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task, TrainingData
from facegate.errors import RegistryError
from facegate.exporting.bundles import run_network
from facegate.exporting.onnx import with_head
from facegate.exporting.parity import FP32_LIMIT
from facegate.models.checkpoint import load_trained
from facegate.params import Params
from facegate.registry.lineage import resolve
from facegate.registry.listing import fetch_bundle
from facegate.registry.names import model_name
from facegate.registry.store import Store, open_store, store_errors
from facegate.runtime.bundle import Bundle, load_bundle
from facegate.training.initial import ORIGIN

MODELS = "models:/"
TRAINED = "trained"
"""Folder of the network among the artifacts of the run that trained it."""


def initial_folder(task: Task, params: Params, root: Path | None = None) -> Path | None:
    """Folder of the weights that ``recognition.init_from`` names; None where it names none.

    An alias is refused: it may name another version tomorrow with params.yaml unchanged, and then DVC would take the
    result of yesterday's for today's.

    Raises:
        RegistryError: there is no such version or folder, it is an alias, its weights are gone, or its terms forbid
            what the project is for.
    """
    named = params.recognition.init_from.removeprefix(MODELS)
    if task is not Task.RECOGNITION or not named:
        return None
    if not _is_reference(named, params):
        if not Path(named).is_dir():
            raise RegistryError(
                f"`recognition.init_from: {named}`: no registered version and no folder",
                "write for instance recognition/3, or the folder of a trained network",
            )
        return Path(named)
    store = open_store(root)
    version = resolve(store, named, params.register_.prefix)
    if not named.endswith(f"/{version.version}"):
        raise RegistryError(
            f"`recognition.init_from: {named}`: aliases move, and DVC would not notice",
            f"write the version that it names now: recognition/{version.version}",
        )
    bundle = fp32_recogniser(store, version, root)
    refuse_terms(f"{version.name}/{version.version}", bundle.contract.training_data, params)
    return fetch_trained(store, version, bundle, root)


def fp32_recogniser(store: Store, version: ModelVersion, root: Path | None = None) -> Bundle:
    """The bundle of a version.

    Raises:
        RegistryError: it is no fp32 recogniser, or its files are gone.
    """
    cache = (root or Path()) / ".cache" / "models"
    bundle = load_bundle(fetch_bundle(store, str(version.name), str(version.version), cache))
    kind = (bundle.contract.task, bundle.contract.quantisation.target)
    if kind != (Task.RECOGNITION, "fp32"):
        raise RegistryError(
            f"{version.name}/{version.version}: {kind[0]}, {kind[1]}; an fp32 recogniser is needed",
            "name its fp32 version; int8 is made of the result",
        )
    return bundle


def fetch_trained(store: Store, version: ModelVersion, bundle: Bundle, root: Path | None = None) -> Path:
    """Copy the network that a version was exported from out of the run that trained it, and prove that it is that one.

    Returns:
        Its folder, with the version and its training data in ``origin.json`` beside the weights.

    Raises:
        RegistryError: it was not trained here, its weights are gone, or they answer the bundle's golden pictures
            otherwise than the bundle.
    """
    name = f"{version.name}/{version.version}"
    run = version.tags.get("run.train")
    if not run:
        raise RegistryError(
            f"{name}: was imported or adapted, so that there are no weights to train on",
            "name a version that was trained here: `facegate registry show` says `trained in run …`",
        )
    place = (root or Path()) / ".cache" / TRAINED / f"{version.name}-{version.version}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch, store_errors(store.uri):
        found = Path(store.client.download_artifacts(run, TRAINED, scratch))
        task, network = load_trained(found)
        golden = bundle.golden
        answers = run_network(with_head(network, task), golden.inputs)
        if not np.abs(answers - golden.outputs).max() <= FP32_LIMIT:
            raise RegistryError(
                f"{name}: the weights in run {run} answer otherwise than the version",
                "train and register it anew",
            )
        data = [entry.model_dump(mode="json") for entry in bundle.contract.training_data]
        (found / ORIGIN).write_text(json.dumps({"version": name, "training_data": data}, indent=1) + "\n")
        shutil.rmtree(place, ignore_errors=True)
        found.rename(place)
    return place


def refuse_terms(name: str, training_data: Sequence[TrainingData], params: Params) -> None:
    """Refuse a model that may not be used commercially where the project is marked commercial.

    Raises:
        RegistryError: with the terms.
    """
    barred = [f"{d.name}: {d.licence}" for d in training_data if not d.commercial_use]
    if params.data.commercial and barred:
        raise RegistryError(
            f"{name} may not be used commercially ({'; '.join(barred)}), and `data.commercial` is set",
            "choose a model whose terms allow it, or drop the mark from the profile",
        )


def _is_reference(named: str, params: Params) -> bool:
    word = named.replace("@", "/").split("/")[0]
    return word in (Task.RECOGNITION.value, model_name(Task.RECOGNITION, params.register_.prefix))

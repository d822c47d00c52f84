"""A trained recogniser learns a few people of its operator's, and stays as it is for all others."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facegate.contracts import Task
from facegate.datasets import effects
from facegate.datasets.augment import Augmenter
from facegate.datasets.batches import Crops, PeopleBatches, Pool, PoolBatches
from facegate.datasets.mixing import other_face
from facegate.datasets.modules import CropModule
from facegate.datasets.pack import encode_png
from facegate.errors import CheckpointError
from facegate.models.blocks import normalise
from facegate.models.checkpoint import load_trained, read_description, save_trained
from facegate.models.recognition.finetune import PICTURES, FinetuneModule
from facegate.params import FinetuneParams, TrainerParams
from facegate.training.callbacks import History, MetricLogger, Progress
from facegate.training.curves import write_curves
from facegate.training.run import run
from facegate.whole import whole_folder

BATCH = 64
ANCHORED = 0.5
"""Share of a batch that is faces which are to stay where they are."""
STRONG = 0.5
"""Share of them that is strongly augmented."""


@dataclass(frozen=True)
class Lesson:
    """What is learned and what is to stay.

    Attributes:
        people: training pictures of the people.
        strangers: other people's pictures, of which the anchors are made.
        validation: still other people, for the curve.
    """

    people: Crops
    strangers: Crops
    validation: Crops


def finetune(
    parent: Path,
    lesson: Lesson,
    params: FinetuneParams,
    trainer: TrainerParams,
    out: Path,
    about: Mapping[str, Any],
    logger: MetricLogger | None = None,
) -> None:
    """Train a recogniser on; the weights after the last epoch are kept.

    Args:
        parent: folder of the trained network.
        lesson: what is learned and what is to stay.
        params: recipe.
        trainer: where to train; in one process, whatever it says.
        out: folder that gets ``model.pt``, ``network.json``, ``curves.csv`` and ``curves.png``, whole or not at all.
        about: what ``network.json`` is to say beside the recipe.
        logger: gets the curve.

    Raises:
        CheckpointError: the parent is no whole trained recogniser.
        PackError: there are fewer than two people.
    """
    task, network = load_trained(parent)
    if task is not Task.RECOGNITION:
        raise CheckpointError(f"{parent}: a network for {task}", "name a recogniser")
    torch.manual_seed(params.optim.seed)
    labelled = _people(lesson.people, params)
    pool = anchors(network, lesson.strangers, params)
    learner = FinetuneModule(network, _prototypes(network, labelled), params)
    taught = round(params.optim.batch_size * ANCHORED)
    size = taught + labelled.size
    batches = PoolBatches(pool, labelled, size, labelled.steps, params.optim.seed, effects.mirror)
    persons = np.unique(lesson.validation.subjects, return_inverse=True)[1]
    data = CropModule(batches, lesson.validation, persons.astype(np.int64), trainer.workers)
    history = History(logger)
    run(learner, data, trainer.alone(), [history, Progress("finetune recognition")])
    training = {**about, "recipe": params.model_dump(mode="json"), "epochs": len(history.rows)}
    with whole_folder(out) as draft:
        write_curves(draft, history.rows, learner.metric, len(history.rows))
        save_trained(draft, learner.network, task, read_description(parent)["kwargs"], training)


def anchors(network: nn.Module, strangers: Crops, params: FinetuneParams) -> Pool:
    """Faces of nobody in particular made of strangers, with the embeddings that the network gives them now."""
    rng = np.random.default_rng(params.optim.seed)
    augment = Augmenter(Task.RECOGNITION)
    images: list[bytes] = []
    embeddings: list[NDArray[np.float32]] = []
    for start in range(0, params.anchors, BATCH):
        count = min(BATCH, params.anchors - start)
        faces = augment(np.stack([other_face(strangers.images, rng) for _ in range(count)]), rng, STRONG)
        images += [encode_png(face) for face in faces]
        embeddings.append(_embed(network, faces).numpy())
    return Pool(images, np.concatenate(embeddings))


def _people(people: Crops, params: FinetuneParams) -> PeopleBatches:
    optim = params.optim
    return PeopleBatches(
        people,
        people=round(optim.batch_size * (1 - ANCHORED) / PICTURES),
        pictures=PICTURES,
        pseudo=params.pseudo_identities,
        epochs=optim.epochs,
        strength=params.augmentation,
        seed=optim.seed,
    )


def _prototypes(network: nn.Module, batches: PeopleBatches) -> Tensor:
    """Mean embedding of the pictures of each identity, unit length (identities, D)."""
    means = [
        _embed(network, batches.pictures(rows, np.full(len(rows), label))).mean(0)
        for label, rows in enumerate(batches.members)
    ]
    return functional.normalize(torch.stack(means))


def _embed(network: nn.Module, faces: NDArray[np.uint8]) -> Tensor:
    with torch.no_grad():
        return functional.normalize(network(normalise(torch.from_numpy(faces))).float())

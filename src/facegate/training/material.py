"""What a training run is made of: the two splits it may see, the learner, the batches, and a key for all of it."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import facegate
from facegate.contracts import Split, Task
from facegate.datasets.augment import Augmenter
from facegate.datasets.batches import Crops, Pool, load_crops, load_pool
from facegate.datasets.clip_batches import load_clips
from facegate.datasets.eye_batches import load_eyes
from facegate.datasets.modules import CropModule, distil_data, recognition_data, spoof_data
from facegate.datasets.pack import open_pack
from facegate.errors import PackError, ParamsError
from facegate.models.eyes import module as eyes
from facegate.models.learner import Finishing, Learner
from facegate.models.recognition import module as recognition
from facegate.models.recognition.network import SIZE
from facegate.models.spoof import module as spoof
from facegate.params import (
    EyesParams,
    LivenessParams,
    Params,
    RecognitionParams,
    SpoofParams,
)
from facegate.training import clips as liveness
from facegate.training.clips import ClipModule
from facegate.training.eyes import eye_data
from facegate.training.initial import Initial, load_initial

CODE = (
    "models/**/*.py",
    "training/*.py",
    *(f"datasets/{name}.py" for name in ("augment", "batches", "effects", "framing", "modules", "sampling")),
    *(f"datasets/{name}.py" for name in ("clip_batches", "eye_batches", "eye_effects")),
    *(f"faces/{name}.py" for name in ("crop", "film", "motion")),
)
"""Source files that decide what training gives."""
FINISHING = 4096
"""Pictures with which a network is finished, at most."""
SPOILT = 0.7
"""Share of strong augmentation among the copies by which embeddings are whitened."""


@dataclass(frozen=True)
class Material:
    """The crops of a task; the test split is not among them.

    Attributes:
        task: what they are for.
        train: training split: ``Crops``, ``Clips`` for liveness, ``EyeCrops`` for eyes.
        validation: validation split.
        digest: digest of the pack they come from.
        pool: faces with a teacher's embeddings, where the recipe asks for them.
        content: pictures that are not faces, where the recipe asks for them.
        pool_digest: digest of the pack that one of them comes from.
        pool_about: what that pack says of itself.
        initial: weights to go on from, where the recipe asks for them.
    """

    task: Task
    train: Any
    validation: Any
    digest: str
    pool: Pool | None = None
    content: Crops | None = None
    pool_digest: str = ""
    pool_about: Mapping[str, Any] = field(default_factory=dict)
    initial: Initial | None = None


_LOADERS = {Task.EYES: load_eyes, Task.LIVENESS: load_clips}


def load_material(
    task: Task, params: Params, crops: Path, pool: Path | None = None, initial: Path | None = None
) -> Material:
    """Read the training and validation splits, and the pool and the initial weights if the recipe asks for them.

    Raises:
        CheckpointError: the initial weights are no whole trained network.
        ParamsError: they do not fit the recipe.
        PackError: the pack is unreadable, a split is empty, or the crops are of a size that the task cannot take.
    """
    if task in _LOADERS:
        load = _LOADERS[task]
        return Material(task, load(crops, Split.TRAIN), load(crops, Split.VAL), open_pack(crops).digest)
    framing = task is Task.SPOOF and params.spoof.framing > 0
    train, validation = load_crops(crops, Split.TRAIN, framing), load_crops(crops, Split.VAL)
    height, width = train.images.shape[1:3]
    if height != width or (task is Task.RECOGNITION and width != SIZE):
        wanted = f"{SIZE} × {SIZE}" if task is Task.RECOGNITION else "square"
        raise PackError(
            f"{crops}: crops are {width} × {height}, and {task} takes {wanted} ones",
            "run `dvc repro prepare` to cut them anew",
        )
    start = load_initial(initial, params.recognition) if initial and task is Task.RECOGNITION else None
    material = Material(task, train, validation, open_pack(crops).digest, initial=start)
    if pool and task is Task.RECOGNITION and params.recognition.lessons:
        return _beside(replace(material, pool=load_pool(pool)), pool)
    if pool and task is Task.SPOOF and params.spoof.content:
        content = replace(load_crops(pool, Split.TRAIN, framing), faces=False)
        return _beside(replace(material, content=content), pool)
    return material


def _beside(material: Material, pool: Path) -> Material:
    pack = open_pack(pool)
    return replace(material, pool_digest=pack.digest, pool_about=pack.metadata)


def section(task: Task, params: Params) -> RecognitionParams | SpoofParams | LivenessParams | EyesParams:
    """The recipe of a task.

    Raises:
        ParamsError: no recipe for this task.
    """
    recipes = {
        Task.RECOGNITION: params.recognition,
        Task.SPOOF: params.spoof,
        Task.LIVENESS: params.liveness,
        Task.EYES: params.eyes,
    }
    if task not in recipes:
        raise ParamsError(f"`{task}` cannot be trained", f"choose one of {', '.join(map(str, recipes))}")
    return recipes[task]


def network_kwargs(material: Material, params: Params) -> dict[str, object]:
    """Arguments that rebuild the task's network."""
    if material.initial:
        return dict(material.initial.kwargs)
    if material.task is Task.RECOGNITION:
        return recognition.network_kwargs(params.recognition)
    if material.task is Task.EYES:
        return eyes.network_kwargs(params.eyes)
    if material.task is Task.LIVENESS:
        return liveness.network_kwargs(material.train, params.liveness)
    return spoof.network_kwargs(params.spoof, material.train.images.shape[1])


def assemble(material: Material, params: Params) -> tuple[Learner, CropModule | ClipModule]:
    """Build the learner and its batches; seed torch before, for the initial weights.

    Raises:
        PackError: the training split lacks people, bona fide pictures or attacks.
    """
    learner, data = _assemble(material, params)
    if material.initial:
        learner.go_on(copy.deepcopy(material.initial.network), params.recognition.freeze)
    return learner, data


def _assemble(material: Material, params: Params) -> tuple[Learner, CropModule | ClipModule]:
    workers = params.trainer.workers
    if material.task is Task.LIVENESS:
        return liveness.assemble(material.train, material.validation, params.liveness)
    if material.task is Task.EYES:
        data = eye_data(material.train, material.validation, params.eyes, workers)
        return eyes.EyeModule(params.eyes), data
    if material.task is Task.RECOGNITION and params.recognition.lessons:
        return _student(material, params.recognition, workers)
    if material.task is Task.RECOGNITION:
        data, people = recognition_data(material.train, material.validation, params.recognition, workers)
        learner = recognition.RecognitionModule(params.recognition, people.identities, people.per_person)
        return learner, data
    if params.spoof.content and material.content is None:
        raise _no_pool("spoof.content", "content@spoof")
    data, species = spoof_data(material.train, material.validation, params.spoof, workers, material.content)
    size = material.train.images.shape[1]
    return spoof.SpoofModule(params.spoof, size, len(species.names)), data


def _student(material: Material, params: RecognitionParams, workers: int) -> tuple[Learner, CropModule]:
    if material.pool is None:
        raise _no_pool("recognition.lessons", "lessons@recognition")
    width = material.pool.embeddings.shape[1]
    if width != params.embedding:
        raise ParamsError(
            f"`recognition.embedding` is {params.embedding}, and the teacher's embeddings have {width} dimensions",
            f"set `recognition.embedding: {width}`",
        )
    data, people = distil_data(material.train, material.validation, material.pool, params, workers)
    answers = torch.from_numpy(material.pool.embeddings)
    return recognition.StudentModule(params, answers, people.identities if people else 0), data


def finishing(material: Material, params: Params) -> Finishing:
    """What a network is finished with: pictures of as many people as are needed for it."""
    images, people = material.train.images, np.unique(material.train.subjects, return_inverse=True)[1]
    if material.task is not Task.RECOGNITION:
        return Finishing(images, images, people)
    rng = np.random.default_rng(params.recognition.optim.seed)
    drawn = rng.permutation(people.max() + 1)[people]
    chosen = np.sort(np.argsort(drawn, kind="stable")[:FINISHING])
    images, people = images[chosen], people[chosen]
    if not params.recognition.whitening:
        return Finishing(images, images, people)
    return Finishing(images, Augmenter(material.task)(images, rng, SPOILT), people)


def _no_pool(key: str, stage: str) -> PackError:
    return PackError(
        f"`{key}` asks for further training pictures, and there are none",
        f"run `dvc repro {stage}`, or take `{key}` out of params.yaml",
    )


def run_key(material: Material, params: Params) -> str:
    """Names a run by all that decides its result: recipe, trainer, crops and source code."""
    decided = {
        "task": material.task,
        "recipe": section(material.task, params).model_dump(mode="json"),
        "trainer": params.trainer.model_dump(mode="json", exclude={"workers"}),
        "crops": material.digest,
        "pool": material.pool_digest,
        "code": code_digest(),
        "initial": material.initial.about["sha256"] if material.initial else "",
    }
    if material.task is Task.LIVENESS:
        decided["encoder"] = liveness.encoder_digest(params.liveness)
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def code_digest() -> str:
    """SHA-256 over the source that training runs through."""
    root = Path(facegate.__file__).parent
    digest = hashlib.sha256()
    for pattern in CODE:
        for file in sorted(root.glob(pattern)):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()

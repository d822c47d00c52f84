"""What a training run is made of: the two splits it may see, the learner, the batches, and a key for all of it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import facegate
from facegate.contracts import Split, Task
from facegate.datasets.batches import Crops, load_crops
from facegate.datasets.clip_batches import Clips, load_clips
from facegate.datasets.eye_batches import EyeCrops, load_eyes
from facegate.datasets.modules import CropModule, recognition_data, spoof_data
from facegate.datasets.pack import open_pack
from facegate.errors import PackError, ParamsError
from facegate.models.eyes import module as eyes
from facegate.models.learner import Learner
from facegate.models.recognition import module as recognition
from facegate.models.recognition.network import SIZE
from facegate.models.spoof import module as spoof
from facegate.params import EyesParams, LivenessParams, Params, RecognitionParams, SpoofParams
from facegate.training import clips as liveness
from facegate.training.eyes import eye_data

CODE = (
    "models/**/*.py",
    "training/*.py",
    *(f"datasets/{name}.py" for name in ("augment", "batches", "effects", "modules", "sampling")),
    *(f"datasets/{name}.py" for name in ("clip_batches", "eye_batches", "eye_effects")),
    *(f"faces/{name}.py" for name in ("film", "motion")),
)
"""Source files that decide what training gives."""


@dataclass(frozen=True)
class Material:
    """The crops of a task; the test split is not among them.

    Attributes:
        task: what they are for.
        train: training split.
        validation: validation split.
        digest: digest of the pack they come from.
    """

    task: Task
    train: Crops | Clips | EyeCrops
    validation: Crops | Clips | EyeCrops
    digest: str


_LOADERS = {Task.EYES: load_eyes, Task.LIVENESS: load_clips}


def load_material(task: Task, crops: Path) -> Material:
    """Read the training and validation splits.

    Raises:
        PackError: the pack is unreadable, a split is empty, or the crops are of a size that the task cannot take.
    """
    if task in _LOADERS:
        load = _LOADERS[task]
        return Material(task, load(crops, Split.TRAIN), load(crops, Split.VAL), open_pack(crops).digest)
    train, validation = load_crops(crops, Split.TRAIN), load_crops(crops, Split.VAL)
    height, width = train.images.shape[1:3]
    if height != width or (task is Task.RECOGNITION and width != SIZE):
        wanted = f"{SIZE} × {SIZE}" if task is Task.RECOGNITION else "square"
        raise PackError(
            f"{crops}: crops are {width} × {height}, and {task} takes {wanted} ones",
            "run `dvc repro prepare` to cut them anew",
        )
    return Material(task, train, validation, open_pack(crops).digest)


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
    if material.task is Task.RECOGNITION:
        return recognition.network_kwargs(params.recognition)
    if material.task is Task.EYES:
        return eyes.network_kwargs(params.eyes)
    if isinstance(material.train, Clips):
        return liveness.network_kwargs(material.train, params.liveness)
    return spoof.network_kwargs(params.spoof, material.train.images.shape[1])


def assemble(material: Material, params: Params) -> tuple[Learner, CropModule]:
    """Build the learner and its batches; seed torch before, for the initial weights.

    Raises:
        PackError: the training split lacks people, bona fide pictures or attacks.
    """
    workers = params.trainer.workers
    if isinstance(material.train, EyeCrops) and isinstance(material.validation, EyeCrops):
        return eyes.EyeModule(params.eyes), eye_data(
            material.train, material.validation, params.eyes, workers
        )
    if isinstance(material.train, Clips) and isinstance(material.validation, Clips):
        return liveness.assemble(material.train, material.validation, params.liveness)
    assert isinstance(material.train, Crops) and isinstance(material.validation, Crops)
    if material.task is Task.RECOGNITION:
        data, people = recognition_data(material.train, material.validation, params.recognition, workers)
        learner = recognition.RecognitionModule(params.recognition, people.identities, people.per_person)
        return learner, data
    data, species = spoof_data(material.train, material.validation, params.spoof, workers)
    size = material.train.images.shape[1]
    return spoof.SpoofModule(params.spoof, size, len(species.names)), data


def run_key(material: Material, params: Params) -> str:
    """Names a run by all that decides its result: recipe, trainer, crops and source code."""
    decided = {
        "task": material.task,
        "recipe": section(material.task, params).model_dump(mode="json"),
        "trainer": params.trainer.model_dump(mode="json", exclude={"workers"}),
        "crops": material.digest,
        "code": code_digest(),
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

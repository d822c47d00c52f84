"""Training batches as a pure function of (seed, epoch, step).

The data set makes whole batches by key, so that neither the number of worker processes nor a kill and resume
changes a pixel. Crops are decoded once; the test split never leaves the disk here.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from facegate.contracts import CROP_COLUMNS, POOL_COLUMNS, AttackSpecies, Split, Task
from facegate.datasets import effects
from facegate.datasets.augment import Augmenter
from facegate.datasets.framing import Surroundings, framed, load_surroundings
from facegate.datasets.pack import Pack, decode_image, open_pack, open_split
from facegate.datasets.sampling import people_plan, species_plan
from facegate.errors import PackError

NEEDED = [column for column in CROP_COLUMNS if column.name in ("image", "split", "subject_id", "species")]
"""Columns that training reads."""

Batch = tuple[Tensor, Tensor]
"""Pictures (N, H, W, 3) of uint8 and labels (N,) of int64."""


DistilBatch = tuple[Tensor, tuple[Tensor, Tensor]]
"""Pictures (N, H, W, 3) of uint8; the teacher's embeddings of the first of them, identities of the others."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Faces with their teacher's embeddings; they stay encoded, since there are many.

    Attributes:
        images: encoded RGB pictures.
        embeddings: unit length, shape (N, D).
    """

    images: Sequence[bytes]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)


def load_pool(path: Path) -> Pool:
    """Read a pool.

    Raises:
        PackError: it is missing or unreadable.
    """
    pack = open_pack(path, POOL_COLUMNS)
    embeddings = np.stack(pack.column("embedding").tolist()).astype(np.float32)
    return Pool(pack.column("image").tolist(), embeddings)


@dataclass(frozen=True)
class Crops:
    """One split of a crop pack in memory.

    Attributes:
        images: RGB uint8 of shape (N, H, W, 3); (0, H, W, 3) where they are framed anew.
        subjects: subject of each.
        species: AttackSpecies of each.
        around: what surrounds each, where a recipe frames them anew; else nothing.
        faces: whether they show faces.
    """

    images: NDArray[np.uint8]
    subjects: NDArray[np.str_]
    species: NDArray[np.str_]
    around: Sequence[Surroundings] = ()
    faces: bool = True

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def bona_fide(self) -> NDArray[np.bool_]:
        """Which pictures show a live person."""
        return self.species == AttackSpecies.BONA_FIDE


def load_crops(path: Path, split: Split, framing: bool = False) -> Crops:
    """Decode the training or the validation split.

    Args:
        path: crop pack.
        split: training or validation.
        framing: whether to read what surrounds the crops in their place.

    Raises:
        PackError: the pack is unreadable, the split is empty, or it is the test split, which no part of
            training may see; or it does not hold what surrounds the crops.
    """
    pack, rows = open_split(path, split, NEEDED)
    if not len(rows):
        raise PackError(
            f"{path}: no rows in split `{split}`", "add people, or raise its share in `data.split`"
        )
    return crops_of(pack, rows, framing)


def crops_of(pack: Pack, rows: NDArray[np.intp], framing: bool = False) -> Crops:
    """Some rows of a pack, at least one, in memory; see :func:`load_crops`."""
    subjects, species = (pack.column(name)[rows].astype(str) for name in ("subject_id", "species"))
    if framing:
        return Crops(pack.images(rows[:1])[:0], subjects, species, load_surroundings(pack, rows))
    return Crops(pack.images(rows), subjects, species)


class TrainBatches(Dataset[Batch]):
    """Augmented training batches by (epoch, step).

    Args:
        crops: training split.
        task: chooses the augmentation recipe.
        size: pictures in a batch.
        epochs: epochs of the whole training, over which augmentation grows stronger.
        strength: share of strongly augmented pictures from the middle of training on, 0 to 1.
        seed: source of all chance.

    Attributes:
        steps: batches in an epoch, about one for every `size` pictures of the split.
    """

    def __init__(self, crops: Crops, task: Task, size: int, epochs: int, strength: float, seed: int) -> None:
        self.crops, self.size, self.epochs, self.seed = crops, size, epochs, seed
        self.steps = max(1, round(len(crops) / size))
        self.strength = strength
        self.augment = Augmenter(task)
        self._planned: tuple[int, Any] = (-1, None)

    @abstractmethod
    def plan(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Picture indices and labels of one epoch, both (steps, batch)."""

    def pictures(self, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures of a batch before augmentation."""
        del labels
        return self.crops.images[rows]

    def drawn(
        self, rows: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """The same, where chance has a part in them."""
        del rng
        return self.pictures(rows, labels)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, step = key
        if self._planned[0] != epoch:
            self._planned = (epoch, self.plan(np.random.default_rng([self.seed, epoch])))
        rows, labels = (part[step] for part in self._planned[1])
        progress = (epoch + step / self.steps) / self.epochs
        rng = np.random.default_rng([self.seed, epoch, step])
        images = self.augment(self.drawn(rows, labels, rng), rng, self.strength * min(1.0, 2 * progress))
        return torch.from_numpy(images), torch.from_numpy(labels)


class PeopleBatches(TrainBatches):
    """Batches of persons, each with several pictures; labels are identities.

    Each person also comes as `pseudo` further identities: the same pictures under a fixed smooth warp that
    changes the proportions of the face.
    """

    def __init__(self, crops: Crops, *, people: int, pictures: int, pseudo: int, **common: Any) -> None:
        names, numbers = np.unique(crops.subjects, return_inverse=True)
        if len(names) < 2:
            raise PackError(
                f"the training split holds {len(names)} person; recognition needs two", "add people"
            )
        members = [np.flatnonzero(numbers == person) for person in range(len(names))]
        self.variants = 1 + pseudo
        self.members = [rows for rows in members for _ in range(self.variants)]
        self.identities = len(self.members)
        self.people, self.per_person = min(people, self.identities), pictures
        super().__init__(crops, Task.RECOGNITION, self.people * pictures, **common)

    def plan(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """See :func:`people_plan`."""
        return people_plan(self.members, self.people, self.per_person, self.steps, rng)

    def pictures(self, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures, warped where the label is a pseudo-identity."""
        images = self.crops.images[rows]
        for position in np.flatnonzero(labels % self.variants):
            images[position] = effects.other_identity(images[position], int(labels[position]))
        return images


class SpeciesBatches(TrainBatches):
    """Half bona fide, half attacks spread over the species; labels are positions in `names`, of what is no face
    behind all of them.

    Args:
        crops: training split.
        batch: pictures in a batch.
        names: bona fide and the attack species, see :func:`species_names`.
        framing: see :func:`framed`, of crops that came with what surrounds them.
        common: see :class:`TrainBatches`.
    """

    def __init__(
        self, crops: Crops, *, batch: int, names: Sequence[str], framing: float = 0.0, **common: Any
    ) -> None:
        self.names, self.framing = list(names), framing
        behind = 0 if crops.faces else len(self.names)
        self.numbers = np.array([behind + self.names.index(n) for n in crops.species.tolist()], np.int64)
        super().__init__(crops, Task.SPOOF, min(batch, 2 * len(crops)), **common)

    def plan(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """See :func:`species_plan`."""
        rows = species_plan(self.crops.species.tolist(), self.size, self.steps, rng)
        return rows, self.numbers[rows]

    def drawn(
        self, rows: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Pictures, framed anew where the recipe asks for it."""
        if not self.crops.around:
            return self.pictures(rows, labels)
        size = self.crops.images.shape[1]
        return np.stack([framed(self.crops.around[row], self.framing, size, rng) for row in rows.tolist()])


class PoolBatches(Dataset[DistilBatch]):
    """Faces with their teacher's embeddings by (epoch, step), beside labelled people where some are asked for.

    The pool is walked through in an order that changes with each pass, each face varied anew. An epoch is as long as that
    of the labelled split, so that curves and checkpoints come as often.

    Args:
        pool: encoded faces and their embeddings.
        labelled: makes the labelled part of each batch; None for none.
        size: pictures in a batch, the labelled ones included.
        steps: batches in an epoch.
        seed: source of the order.
        vary: what becomes of a face when it is seen; so little that its embedding stays right.
    """

    def __init__(
        self,
        pool: Pool,
        labelled: PeopleBatches | None,
        size: int,
        steps: int,
        seed: int,
        vary: Callable[[effects.Picture, np.random.Generator], effects.Picture] = effects.nudge,
    ) -> None:
        self.pool, self.labelled, self.size, self.steps, self.seed = pool, labelled, size, steps, seed
        self.vary = vary
        self.taught = size - (labelled.size if labelled else 0)
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> DistilBatch:
        epoch, step = key
        start = (epoch * self.steps + step) * self.taught
        rows = [self._row(place) for place in range(start, start + self.taught)]
        rng = np.random.default_rng([self.seed, epoch, step])
        faces = (decode_image(self.pool.images[row], f"face {row} of the pool") for row in rows)
        images = np.stack([self.vary(face, rng) for face in faces])
        target = torch.from_numpy(self.pool.embeddings[rows])
        if self.labelled is None:
            return torch.from_numpy(images), (target, torch.empty(0, dtype=torch.int64))
        people, labels = self.labelled[epoch, step % len(self.labelled)]
        return torch.cat([torch.from_numpy(images), people]), (target, labels)

    def _row(self, place: int) -> int:
        lap, at = divmod(place, len(self.pool))
        if self._order[0] != lap:
            self._order = (lap, np.random.default_rng([self.seed, lap]).permutation(len(self.pool)))
        return int(self._order[1][at])


class ContentBeside(Dataset[Batch]):
    """Batches of faces, and behind them pictures that are not faces.

    Faces that are rendered teach how rendering looks; what is learnt from anything holds for any face.

    Args:
        faces: batches of the task's own pictures.
        content: batches of the others, their species in the same order behind those of the faces.
    """

    def __init__(self, faces: SpeciesBatches, content: SpeciesBatches) -> None:
        self.faces, self.content = faces, content
        self.steps, self.size = faces.steps, faces.size + content.size

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, step = key
        images, labels = self.faces[key]
        others, species = self.content[divmod(epoch * self.steps + step, self.content.steps)]
        return torch.cat([images, others]), torch.cat([labels, species])


def species_names(*parts: Crops) -> list[str]:
    """Bona fide first, then the attack species present in any part, in alphabetical order."""
    present = {name for crops in parts for name in crops.species.tolist()}
    return [str(AttackSpecies.BONA_FIDE), *sorted(present - {AttackSpecies.BONA_FIDE})]

"""Lightning data modules over crop packs; batches are made beside the training loop, validation is as it is."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from facegate.datasets.batches import (
    ContentBeside,
    Crops,
    PeopleBatches,
    Pool,
    PoolBatches,
    SpeciesBatches,
    TrainBatches,
    species_names,
)
from facegate.datasets.eye_batches import EyeBatches, EyeCrops
from facegate.params import RecognitionParams, SpoofParams

VALIDATION_BATCH = 128
PREFETCH = 4
"""Batches that each worker keeps ready."""


class EpochKeys(Sampler[tuple[int, int]]):
    """Keys (epoch, step) of one epoch; Lightning names the epoch before each pass.

    Args:
        steps: batches in an epoch.
        rank: number of this process among those that train together.
        processes: how many there are; each takes every so-manieth step.
    """

    def __init__(self, steps: int, rank: int = 0, processes: int = 1) -> None:
        self.steps, self.rank, self.processes, self.epoch = steps, rank, processes, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for step in range(len(self)):
            yield self.epoch, step * self.processes + self.rank

    def __len__(self) -> int:
        return max(1, self.steps // self.processes)


class CropModule(pl.LightningDataModule):
    """Training batches by key and the validation split in its order.

    Args:
        batches: training batches.
        validation: validation split.
        labels: label of each validation picture.
        workers: processes that make batches; 0 makes them in the training process. Never changes a batch.
    """

    def __init__(
        self,
        batches: TrainBatches | PoolBatches | ContentBeside | EyeBatches,
        validation: Crops | EyeCrops,
        labels: NDArray[np.int64],
        workers: int,
    ) -> None:
        super().__init__()
        self.batches, self.validation, self.labels, self.workers = batches, validation, labels, workers

    def set_steps(self, steps: int) -> None:
        """Make epochs of so many steps, whatever the number of pictures."""
        batches = self.batches
        for part in (batches, batches.faces) if isinstance(batches, ContentBeside) else (batches,):
            part.steps = steps

    def train_dataloader(self) -> DataLoader[Any]:
        """One pass over the epoch that Lightning names."""
        trainer = self.trainer
        rank, processes = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        many: dict[str, Any] = (
            {"persistent_workers": True, "prefetch_factor": PREFETCH} if self.workers else {}
        )
        return DataLoader(
            self.batches,
            batch_size=None,
            sampler=EpochKeys(self.batches.steps, rank, processes),
            num_workers=self.workers,
            worker_init_fn=_one_thread,
            **many,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation pictures and labels, unaugmented."""
        data: Dataset[Any] = TensorDataset(
            torch.from_numpy(self.validation.images), torch.from_numpy(self.labels)
        )
        return DataLoader(data, batch_size=VALIDATION_BATCH)


def recognition_data(
    train: Crops, validation: Crops, params: RecognitionParams, workers: int
) -> tuple[CropModule, PeopleBatches]:
    """Data module of the recogniser, and its batches; validation labels number the persons.

    Raises:
        PackError: the training split holds fewer than two people.
    """
    optim = params.optim
    batches = PeopleBatches(
        train,
        people=params.people_per_batch,
        pictures=optim.batch_size // params.people_per_batch,
        pseudo=params.pseudo_identities,
        epochs=optim.epochs,
        strength=params.augmentation,
        seed=optim.seed,
    )
    persons = np.unique(validation.subjects, return_inverse=True)[1]
    return CropModule(batches, validation, persons.astype(np.int64), workers), batches


def distil_data(
    train: Crops, validation: Crops, pool: Pool, params: RecognitionParams, workers: int
) -> tuple[CropModule, PeopleBatches | None]:
    """Data module of a student, and the batches of its labelled part, if it has one.

    Raises:
        PackError: labelled people are asked for and the training split holds fewer than two.
    """
    optim = params.optim
    people = round(params.distil.labelled * optim.batch_size / 2)
    labelled = None
    if people:
        labelled = PeopleBatches(
            train,
            people=people,
            pictures=2,
            pseudo=params.pseudo_identities,
            epochs=optim.epochs,
            strength=params.augmentation,
            seed=optim.seed,
        )
    steps = max(1, round(len(train) / optim.batch_size))
    batches = PoolBatches(pool, labelled, optim.batch_size, steps, optim.seed)
    persons = np.unique(validation.subjects, return_inverse=True)[1]
    return CropModule(batches, validation, persons.astype(np.int64), workers), labelled


def spoof_data(
    train: Crops, validation: Crops, params: SpoofParams, workers: int, content: Crops | None = None
) -> tuple[CropModule, SpeciesBatches]:
    """Data module of the spoof network, and its faces; a validation label is 1 for bona fide, 0 for an attack.

    Args:
        train: training split.
        validation: validation split.
        params: recipe.
        workers: processes that make batches.
        content: pictures that are not faces, where the recipe asks for them.

    Raises:
        PackError: the training split lacks bona fide pictures or attacks.
    """
    optim = params.optim
    beside = round(optim.batch_size * params.content.share) if content and params.content else 0
    common: dict[str, Any] = {
        "epochs": optim.epochs,
        "strength": params.augmentation,
        "names": species_names(train, *([content] if content else [])),
        "framing": params.framing,
    }
    faces = SpeciesBatches(train, batch=optim.batch_size - beside, seed=optim.seed, **common)
    batches: TrainBatches | ContentBeside = faces
    if content:
        batches = ContentBeside(faces, SpeciesBatches(content, batch=beside, seed=optim.seed + 1, **common))
    return CropModule(batches, validation, validation.bona_fide.astype(np.int64), workers), faces


def _one_thread(worker: int) -> None:
    del worker
    cv2.setNumThreads(0)

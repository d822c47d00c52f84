"""Batches of eye crops: as many closed as open ones, labelled by how far the lids are closed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from facegate.contracts import CROP_COLUMNS, Split
from facegate.datasets import effects, eye_effects
from facegate.datasets.batches import Batch
from facegate.datasets.effects import Picture
from facegate.datasets.eye_crops import CLOSED
from facegate.datasets.pack import open_split
from facegate.datasets.sampling import endless
from facegate.errors import PackError

NEEDED = [column for column in CROP_COLUMNS if column.name in ("image", "split", "blink")]
CROPS_PER_STEP = 4
"""A crop is seen once in so many epochs on average, for neighbouring frames of a clip are alike."""


@dataclass(frozen=True)
class EyeCrops:
    """One split of an eye pack in memory.

    Attributes:
        images: RGB uint8 of shape (N, H, W, 3).
        closure: eyelid closure in percent, shape (N,); the label.
    """

    images: NDArray[np.uint8]
    closure: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Which eyes are closed."""
        return self.closure >= 100 * CLOSED


def load_eyes(path: Path, split: Split) -> EyeCrops:
    """Decode the training or the validation split.

    Raises:
        PackError: the pack is unreadable, the split lacks open or closed eyes, or it is the test split, which
            no part of training may see.
    """
    pack, rows = open_split(path, split, NEEDED)
    closure = np.rint(100 * pack.column("blink")[rows].astype(float)).astype(np.int64)
    closed = closure >= 100 * CLOSED
    if not closed.any() or closed.all():
        lacking = "closed" if not closed.any() else "open"
        raise PackError(f"{path}: no {lacking} eyes in split `{split}`", "raise `data.synthetic.clip_people`")
    return EyeCrops(pack.images(rows), closure)


class EyeAugmenter:
    """Jitter and tone for every crop; blur, darkness, noise and glasses for some."""

    def __call__(self, images: Picture, rng: np.random.Generator, strength: float) -> Picture:
        """Augment a batch.

        Args:
            images: RGB of shape (N, H, W, 3).
            rng: the only source of chance.
            strength: scales how often the strong effects come, 0 to 1.
        """
        return np.stack([self._one(image, rng, strength) for image in images])

    @staticmethod
    def _one(image: Picture, rng: np.random.Generator, strength: float) -> Picture:
        image = effects.jitter(image, rng, scale=0.07, rotate=5, move=0.04)
        chances: list[tuple[float, Callable[[Picture, np.random.Generator], Picture]]] = [
            (0.2, eye_effects.rim),
            (0.7, effects.tone),
            (0.4 * strength, effects.low_resolution),
            (0.6 * strength, eye_effects.motion_blur),
            (0.3 * strength, effects.light_gradient),
            (0.4 * strength, eye_effects.low_light),
            (0.5 * strength, effects.noise),
        ]
        for chance, effect in chances:
            if rng.random() < chance:
                image = effect(image, rng)
        if rng.random() < 0.3:
            image = np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, 2)
        return image


class EyeBatches(Dataset[Batch]):
    """Augmented training batches by (epoch, step): half closed, half open; labels are closures in percent.

    Args:
        crops: training split.
        batch: crops in a batch.
        epochs: epochs of the whole training, over which augmentation grows stronger.
        strength: how often strong effects come from the middle of training on, 0 to 1.
        seed: source of all chance.
    """

    def __init__(self, crops: EyeCrops, batch: int, epochs: int, strength: float, seed: int) -> None:
        self.crops, self.size, self.epochs, self.strength, self.seed = crops, batch, epochs, strength, seed
        self.steps = max(1, round(len(crops) / batch / CROPS_PER_STEP))
        self.augment = EyeAugmenter()
        self._planned: tuple[int, NDArray[np.int64]] = (-1, np.empty((0, 0), np.int64))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, step = key
        if self._planned[0] != epoch:
            self._planned = (epoch, self._plan(np.random.default_rng([self.seed, epoch])))
        rows = self._planned[1][step]
        progress = (epoch + step / self.steps) / self.epochs
        rng = np.random.default_rng([self.seed, epoch, step])
        images = self.augment(self.crops.images[rows], rng, self.strength * min(1.0, 2 * progress))
        return torch.from_numpy(images), torch.from_numpy(self.crops.closure[rows])

    def _plan(self, rng: np.random.Generator) -> NDArray[np.int64]:
        groups = [endless(np.flatnonzero(rows), rng) for rows in (self.crops.closed, ~self.crops.closed)]
        return np.array(
            [[next(groups[place % 2]) for place in range(self.size)] for _ in range(self.steps)], np.int64
        )

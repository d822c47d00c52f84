"""Clips for training: film strips in memory, their frames described once, sequences drawn anew for every batch.

The network that describes a frame is frozen, so that what it says of a frame is computed once per augmented view.
What differs from batch to batch is time: where the clip begins and ends, which frames were lost. The motion cues of a
frame are those on its strip: they compare it with the middle of its clip.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from facegate.contracts import CROP_COLUMNS, AttackSpecies, Split
from facegate.datasets import effects
from facegate.datasets.batches import Batch
from facegate.datasets.effects import Picture
from facegate.datasets.pack import open_split
from facegate.datasets.sampling import species_plan
from facegate.errors import PackError
from facegate.faces.film import LEAST_FRAMES, unroll

NEEDED = [c for c in CROP_COLUMNS if c.name in ("image", "split", "subject_id", "species")]
BATCHES_PER_CLIP = 2
"""A clip is drawn so many times an epoch: each draw is another piece of it."""

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Clips:
    """One split of a strip pack in memory.

    Attributes:
        frames: RGB uint8 of shape (N, T, S, S, 3).
        cues: how each frame moved, shape (N, T, 3).
        subjects: subject of each.
        species: AttackSpecies of each.
    """

    frames: NDArray[np.uint8]
    cues: NDArray[np.float32]
    subjects: NDArray[np.str_]
    species: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def bona_fide(self) -> NDArray[np.bool_]:
        """Which clips show a live person."""
        return self.species == AttackSpecies.BONA_FIDE


def load_clips(path: Path, split: Split) -> Clips:
    """Decode the training or the validation split.

    Raises:
        PackError: the pack is unreadable or holds no clips, the split is empty, or it is the test split, which no part of
            training may see.
    """
    pack, rows = open_split(path, split, NEEDED)
    if not len(rows):
        raise PackError(f"{path}: no clips in split `{split}`", "raise `data.synthetic.clip_people`")
    try:
        strips = [unroll(pack.image(int(row))) for row in rows]
    except ValueError as error:
        raise PackError(f"{path}: holds no clips: {error}", "run `dvc repro prepare@liveness`") from error
    frames, cues = (np.stack(part) for part in zip(*strips, strict=True))
    subjects, species = (pack.column(name)[rows].astype(str) for name in ("subject_id", "species"))
    return Clips(frames, cues, subjects, species)


def views(clips: Clips, count: int, seed: int) -> list[Picture]:
    """Augmented versions of all clips, the first as they are; all frames of a clip change alike.

    Returns:
        `count` arrays of shape (N, T, S, S, 3).
    """
    made = [clips.frames]
    for view in range(1, count):
        pairs = enumerate(clips.frames)
        made.append(np.stack([_augmented(c, np.random.default_rng([seed, view, i])) for i, c in pairs]))
    return made


def _augmented(clip: Picture, rng: np.random.Generator) -> Picture:
    """Mirrored, in other light and framed otherwise, as :mod:`facegate.datasets.augment` does to single frames."""
    seed = int(rng.integers(2**63))
    chosen: list[Callable[[Picture, np.random.Generator], Picture]] = [
        effect
        for effect, chance in ((effects.tone, 0.8), (effects.light_gradient, 0.2), (_moved, 0.5))
        if rng.random() < chance
    ]
    mirrored = rng.random() < 0.5
    frames = []
    for frame in clip:
        same = np.random.default_rng(seed)
        changed = reduce(lambda picture, effect: effect(picture, same), chosen, frame)
        frames.append(changed[:, ::-1] if mirrored else changed)
    return np.stack(frames)


def _moved(frame: Picture, rng: np.random.Generator) -> Picture:
    return effects.jitter(frame, rng, scale=0.04, rotate=4, move=0.02)


def drawn_frames(count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """A piece of a clip: random beginning, end and rate, lost frames replaced by the one before.

    Args:
        count: frames of the clip, and places to fill.
        rng: source of chance.

    Returns:
        Ascending frame numbers, shape (count,).
    """
    length = int(rng.integers(min(LEAST_FRAMES, count), count + 1))
    start = int(rng.integers(0, count - length + 1))
    frames = np.linspace(start, start + length - 1, count).round().astype(np.intp)
    kept = rng.random(count) >= rng.uniform(0, 0.35)
    kept[0] = True
    return frames[np.maximum.accumulate(np.where(kept, np.arange(count), 0))]


class ClipBatches(Dataset[Batch]):
    """Sequences by (epoch, step): half bona fide, half attacks spread over the species.

    A batch holds what is known of every frame (N, T, F + 3): its description, then its motion cues; labels are
    positions in `names`, of which the first is bona fide.

    Args:
        clips: training split.
        described: description of every frame in every view, shape (views, N, T, F).
        batch: clips in a batch.
        cues: False leaves the motion cues at zero.
        seed: source of all chance.
    """

    def __init__(self, clips: Clips, described: Features, batch: int, cues: bool, seed: int) -> None:
        attacks = sorted(set(clips.species.tolist()) - {AttackSpecies.BONA_FIDE})
        self.names = [str(AttackSpecies.BONA_FIDE), *attacks]
        self.labels = np.array([self.names.index(name) for name in clips.species.tolist()], np.int64)
        self.clips, self.described, self.cues, self.seed = clips, described, cues, seed
        self.size = min(batch, 2 * len(clips))
        self.steps = max(1, round(BATCHES_PER_CLIP * len(clips) / self.size))
        self._planned: tuple[int, NDArray[np.int64]] = (-1, np.empty((0, 0), np.int64))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, step = key
        if self._planned[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._planned = (epoch, species_plan(self.clips.species.tolist(), self.size, self.steps, rng))
        rows = self._planned[1][step]
        rng = np.random.default_rng([self.seed, epoch, step])
        sequences = np.stack([self._sequence(int(row), rng) for row in rows])
        return torch.from_numpy(sequences), torch.from_numpy(self.labels[rows])

    def _sequence(self, row: int, rng: np.random.Generator) -> Features:
        frames = drawn_frames(self.clips.frames.shape[1], rng)
        described = self.described[rng.integers(len(self.described)), row, frames]
        cues = self.clips.cues[row, frames] * self.cues
        return np.concatenate([described, cues], axis=1).astype(np.float32)

"""Toy crop packs: patterns instead of faces, cheap to make and easy to learn."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies, Split, Task
from facegate.datasets.pack import PackWriter, encode_png
from facegate.datasets.prepare import columns_of

SPECIES = (AttackSpecies.BONA_FIDE, AttackSpecies.PRINT, AttackSpecies.REPLAY_PHONE)


def toy_picture(person: int, index: int, species: AttackSpecies, size: int) -> NDArray[np.uint8]:
    """A coarse pattern of the person; prints carry dots, replays stripes."""
    pattern = np.random.default_rng([7, person]).uniform(40, 215, (7, 7, 3))
    rng = np.random.default_rng([8, person, index])
    picture = np.kron(pattern, np.ones((size // 7 + 1, size // 7 + 1, 1)))[:size, :size]
    picture = picture * rng.uniform(0.8, 1.2) + rng.normal(0, 6, picture.shape)
    y, x = np.mgrid[:size, :size]
    if species is AttackSpecies.PRINT:
        picture += 40 * ((x % 4 < 2) ^ (y % 4 < 2))[..., None]
    if species is AttackSpecies.REPLAY_PHONE:
        picture += 40 * (x % 3 == 0)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_toy_pack(
    path: Path,
    task: Task,
    people: tuple[int, int, int] = (8, 4, 2),
    pictures: int = 4,
    size: int | None = None,
) -> Path:
    """Write a crop pack with so many people in train, val and test."""
    side = size or (112 if task is Task.RECOGNITION else 48)
    splits = [
        name for name, count in zip(("train", "val", "test"), people, strict=True) for _ in range(count)
    ]
    with PackWriter(path, columns_of(task)) as pack:
        for person, split in enumerate(splits):
            for index in range(pictures):
                spoof = task is Task.SPOOF
                species = SPECIES[index % len(SPECIES)] if spoof else AttackSpecies.BONA_FIDE
                row = toy_row(person, index, split, species, side, task)
                pack.write(surrounded(row) if spoof else row)
    return path


def toy_row(
    person: int, index: int, split: str, species: AttackSpecies, size: int, task: Task
) -> dict[str, object]:
    """One row of a toy pack."""
    return {
        "sample_id": f"p{person}-{index}",
        "subject_id": f"p{person}",
        "split": split,
        "species": str(species),
        "image": encode_png(toy_picture(person, index, species, size)),
        "width": size,
        "height": size,
        "source": "toy",
        "crop": "context" if task is Task.SPOOF else "aligned",
        "detection_score": 0.9,
        "box": [10.0, 10.0, 40.0, 40.0],
        "landmarks": [0.0] * 10,
    }


def surrounded(row: dict[str, object]) -> dict[str, object]:
    """A row of a spoof pack: nothing surrounds a training crop but itself."""
    if row["split"] != Split.TRAIN:
        return row
    return row | {"around": row["image"], "square": [0.0, 0.0, row["width"], row["height"]]}

"""Toy packs of clips and of eyes: patterns that blink, move and carry the traces of a medium."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import CROP_COLUMNS, AttackSpecies, Task
from facegate.datasets.pack import PackWriter, encode_png
from facegate.faces.film import film_strip
from tests.training.toy import SPECIES, toy_picture, toy_row

FRAMES, SIDE, EYE = 8, 48, 32


def write_toy_clips(path: Path, people: tuple[int, int, int] = (6, 3, 3), size: int = SIDE) -> Path:
    """Write a strip pack: each person live, on paper and on a screen."""
    with PackWriter(path, CROP_COLUMNS, {"samples_digest": "toy"}) as pack:
        for person, split in _people(people):
            for number, species in enumerate(SPECIES):
                frames = np.stack([toy_picture(person, number, species, size)] * FRAMES)
                strip = film_strip(frames)
                pack.write(
                    {
                        **toy_row(person, number, split, species, size, Task.SPOOF),
                        "source": "synthetic",
                        "image": encode_png(strip),
                        "height": strip.shape[0],
                        "crop": "clip",
                        "clip_id": f"p{person}-{number}",
                    }
                )
    return path


def toy_eye(closure: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A dark disc on skin, covered from above as far as the lid is closed."""
    y, x = np.mgrid[:EYE, :EYE] - (EYE - 1) / 2
    picture = np.full((EYE, EYE, 3), 190.0)
    inside = (x / 13) ** 2 + (y / 7) ** 2 < 1
    picture[inside] = 235
    picture[inside & (x**2 + y**2 < 25)] = 40
    picture[inside & (y < -7 + 14 * closure)] = 180
    return np.clip(picture * rng.uniform(0.8, 1.15) + rng.normal(0, 5, picture.shape), 0, 255).astype(
        np.uint8
    )


def write_toy_eyes(path: Path, people: tuple[int, int, int] = (6, 3, 4), frames: int = 14) -> Path:
    """Write an eye pack: one clip a person, with one blink in its middle."""
    with PackWriter(path, CROP_COLUMNS, {"samples_digest": "toy"}) as pack:
        for person, split in _people(people):
            rng = np.random.default_rng([6, person])
            for frame in range(frames):
                closure = float(np.exp(-(((frame - frames / 2) / 1.8) ** 2)))
                for side in ("right", "left"):
                    pack.write(
                        {
                            **toy_row(person, frame, split, AttackSpecies.BONA_FIDE, EYE, Task.EYES),
                            "source": "synthetic",
                            "sample_id": f"p{person}-{frame:02d}/{side}",
                            "image": encode_png(toy_eye(closure, rng)),
                            "crop": "eye",
                            "blink": closure,
                            "glasses": person % 2 == 0,
                            "clip_id": f"p{person}",
                            "frame": frame,
                            "time_s": frame / 15,
                        }
                    )
    return path


def _people(counts: tuple[int, int, int]) -> list[tuple[int, str]]:
    splits = [
        name for name, count in zip(("train", "val", "test"), counts, strict=True) for _ in range(count)
    ]
    return list(enumerate(splits))

"""Content that is not faces, before a camera at once and by way of every flat medium: what the medium branch trains on.

A spoof network trained on rendered faces alone learns the renderer. Shards as in :mod:`facegate.training.pool`.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import skimage.data
from sklearn.datasets import load_sample_images

from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies, Split
from facegate.datasets.framing import AROUND_COLUMNS
from facegate.datasets.pack import PackWriter, encode_png
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.faces.crop import resized
from facegate.params import ContentParams
from facegate.recapture.content import FLAT, from_photograph, mixed, scene, taken_again, taken_at_once
from facegate.recapture.imaging import Bytes, Floats

SCENES_PER_SHARD = 16
SCENE_SIZE = 448
SOURCE, PHOTOGRAPHS = "procedural", ("sample_photographs", "free_photographs")
PHOTOGRAPHED = 0.5
"""Share of scenes that are made of photographs; the others are procedural."""
FREE = ("brick", "chelsea", "coffee", "grass", "gravel", "hubble_deep_field", "retina", "rocket")
"""Photographs of scikit-image that are CC0 or in the public domain, carried by its package, and without a face."""


COLUMNS = (*SAMPLE_COLUMNS, *AROUND_COLUMNS)
"""Of a content pack: the pictures as they were taken stand beside those shrunk, to be framed anew in training."""
LARGER = (1.0, 1.4)
"""Pictures are taken so many times as large as they are kept, as context crops of faces are: shrinking bends the traces."""


class ScenesShard(NamedTuple):
    """One shard of content."""

    first: int
    scenes: int
    size: int
    seed: int


def write_content(out: Path, params: ContentParams, size: int, cache: Path, workers: int = 0) -> None:
    """Make the content pack: as many bona fide pictures of each scene as attacks.

    Args:
        out: the pack to write.
        params: how many scenes.
        size: side of the pictures, that of the task's crops.
        cache: untracked folder of finished shards.
        workers: processes; 0 for one per core.

    Raises:
        PackError: a worker was killed, or the disk is full.
    """
    recipe = params.model_dump(mode="json", include={"scenes", "seed"}) | {"size": size}
    place = shard_cache(cache, "content", recipe, modules=("facegate.training.content", "facegate.recapture"))
    firsts = range(0, params.scenes, SCENES_PER_SHARD)
    shards = [ScenesShard(f, min(SCENES_PER_SHARD, params.scenes - f), size, params.seed) for f in firsts]
    jobs = [Job(f"content-{s.first:06d}", s.scenes * 2 * len(FLAT), s) for s in shards]
    with PackWriter(out, COLUMNS, recipe | {"behind": [SOURCE, *PHOTOGRAPHS]}) as pack:
        pack.write_all(run_jobs(photograph, jobs, COLUMNS, place, workers, "taking content"))
    forget(place)


def photograph(shard: ScenesShard) -> Iterator[Row]:
    """Rows of one shard, scene by scene."""
    for number in range(shard.first, shard.first + shard.scenes):
        rng = np.random.default_rng([shard.seed, number])
        content = _scene(rng)
        for turn, species in enumerate(FLAT):
            picture, camera = taken_at_once(content, rng, _larger(shard.size, rng))
            live = _row(number, turn, AttackSpecies.BONA_FIDE, camera, False, "live")
            yield {**live, **_pictures(picture, shard.size)}
            again = taken_again(content, species, rng, _larger(shard.size, rng))
            attack = _row(number, turn, species, again.camera, again.border_visible, again.variant)
            yield {**attack, **_pictures(again.image, shard.size)}


def _larger(size: int, rng: np.random.Generator) -> int:
    return round(size * rng.uniform(*LARGER))


def _scene(rng: np.random.Generator) -> Floats:
    """Procedural, or parts of photographs in soft patches."""
    if rng.random() >= PHOTOGRAPHED:
        return scene(rng, SCENE_SIZE)
    taken = _photographs()
    parts = [from_photograph(taken[i], rng, SCENE_SIZE) for i in rng.integers(len(taken), size=2)]
    return mixed(parts[0], parts[1] if rng.random() < 0.6 else scene(rng, SCENE_SIZE), rng)


@cache
def _photographs() -> list[Bytes]:
    """Photographs that installed packages carry under free terms, RGB."""
    found = [*load_sample_images().images, *(getattr(skimage.data, name)() for name in FREE)]
    return [picture if picture.ndim == 3 else np.dstack([picture] * 3) for picture in found]


def _row(number: int, turn: int, species: AttackSpecies, camera: str, border: bool, variant: str) -> Row:
    return {
        "sample_id": f"content-{number:06d}-{species.value}-{turn}",
        "subject_id": f"content-{number:06d}",
        "split": Split.TRAIN.value,
        "species": species.value,
        "source": SOURCE,
        "camera": camera,
        "border_visible": border,
        "attributes": json.dumps({"variant": variant}),
    }


def _pictures(taken: Bytes, size: int) -> Row:
    """The picture as it was taken, all of it the crop, and shrunk."""
    side = float(len(taken))
    return {
        "image": encode_png(resized(taken, size)),
        "width": size,
        "height": size,
        "around": encode_png(taken),
        "square": [0.0, 0.0, side, side],
    }

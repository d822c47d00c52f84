"""Content that is not faces, before a camera at once and by way of every flat medium: what the medium branch trains on.

A spoof network trained on rendered faces alone learns the renderer. Shards as in :mod:`facegate.training.pool`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies, Split
from facegate.datasets.pack import PackWriter, encode_png
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.params import ContentParams
from facegate.recapture.content import FLAT, scene, taken_again, taken_at_once
from facegate.recapture.imaging import Bytes

SCENES_PER_SHARD = 16
SCENE_SIZE = 448
SOURCE = "procedural"


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
    with PackWriter(out, SAMPLE_COLUMNS, recipe) as pack:
        pack.write_all(run_jobs(photograph, jobs, SAMPLE_COLUMNS, place, workers, "taking content"))
    forget(place)


def photograph(shard: ScenesShard) -> Iterator[Row]:
    """Rows of one shard, scene by scene."""
    for number in range(shard.first, shard.first + shard.scenes):
        rng = np.random.default_rng([shard.seed, number])
        content = scene(rng, SCENE_SIZE)
        for turn, species in enumerate(FLAT):
            picture, camera = taken_at_once(content, rng, shard.size)
            yield _row(number, turn, AttackSpecies.BONA_FIDE, picture, camera, False, "live")
            again = taken_again(content, species, rng, shard.size)
            yield _row(number, turn, species, again.image, again.camera, again.border_visible, again.variant)


def _row(
    number: int, turn: int, species: AttackSpecies, picture: Bytes, camera: str, border: bool, variant: str
) -> Row:
    return {
        "sample_id": f"content-{number:06d}-{species.value}-{turn}",
        "subject_id": f"content-{number:06d}",
        "split": Split.TRAIN.value,
        "species": species.value,
        "image": encode_png(picture),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "source": SOURCE,
        "camera": camera,
        "border_visible": border,
        "attributes": json.dumps({"variant": variant}),
    }

"""The embedded data set as sample packs: rendered people, split by person.

Every picture depends on the seed, the person's number and the picture's number alone; neither the count of
people nor the number of processes changes one. People of the three packs are different people, so that a
spoof model is never tested on somebody a recogniser was trained on.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from facegate.contracts import SAMPLE_COLUMNS
from facegate.datasets.pack import PackWriter, sha256_file
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.errors import SourceError
from facegate.params import DataParams, SyntheticParams
from facegate.sources.fetch import HEAD_FILE
from facegate.sources.splits import split_of_number
from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.synthesis.attacks import SPECIES, attack, bona_fide
from facegate.synthesis.clips import SPECIES as CLIP_SPECIES
from facegate.synthesis.clips import clip
from facegate.synthesis.stills import still

FIRST_PERSON = {"stills": 0, "attacks": 100_000, "clips": 200_000}
"""Number of the first person of each pack; the ranges never meet."""
CODE = ("facegate.synthesis", "facegate.recapture", __name__)
"""What the pictures are made by; shards of older code are not used."""


class Person(NamedTuple):
    """One shard of rendering: all pictures of one person in one pack."""

    pack: str
    number: int
    split: str
    assets: Path
    params: SyntheticParams


def write_synthetic(params: DataParams, assets: Path, out: Path, cache: Path) -> dict[str, int]:
    """Render the three packs ``stills``, ``attacks`` and ``clips`` below `out`.

    Args:
        params: counts, sizes, seed and split shares.
        assets: folder of the fetched assets.
        out: folder of the packs.
        cache: where the pictures of finished people are kept until their pack is whole.

    Returns:
        Number of pictures by pack.

    Raises:
        SourceError: the assets are not there.
        PackError: a worker died, or the disk is full; what was finished is kept.
    """
    head = assets / HEAD_FILE
    if not head.is_file():
        raise SourceError(f"{head}: missing", "run `dvc repro fetch`")
    return {pack: _write_pack(pack, params, head, out, cache) for pack in FIRST_PERSON}


def _write_pack(pack: str, params: DataParams, head: Path, out: Path, cache: Path) -> int:
    synthetic = params.synthetic
    people, pictures = _extent(pack, synthetic)
    jobs = [
        Job(f"{number:06d}", pictures, Person(pack, FIRST_PERSON[pack] + number, split, head, synthetic))
        for number in range(people)
        for split in [str(split_of_number(number, params.split))]
    ]
    depends = (pack, sha256_file(head), _settings(pack, synthetic), params.split.model_dump())
    shards = shard_cache(cache, *depends, modules=CODE)
    metadata = {"source": "synthetic", "seed": synthetic.seed, "rendered": True}
    with PackWriter(out / pack, SAMPLE_COLUMNS, metadata) as writer:
        writer.write_all(
            run_jobs(render_person, jobs, SAMPLE_COLUMNS, shards, synthetic.workers, f"rendering {pack}")
        )
    forget(shards)
    return people * pictures


def render_person(person: Person) -> Iterator[Row]:
    """All rows of one person in one pack."""
    for row in _RENDERERS[person.pack](_head(person.assets), person.number, person.params):
        yield {**row, "split": person.split}


def _stills(head: HeadAssets, number: int, params: SyntheticParams) -> Iterator[Row]:
    for index in range(params.stills_per_person):
        yield still(head, params.seed, number, index, params.still_size)


def _attacks(head: HeadAssets, number: int, params: SyntheticParams) -> Iterator[Row]:
    for index in range(params.bona_fide_per_person):
        yield bona_fide(head, params.seed, number, index, params.attack_size)
    for species in SPECIES:
        for index in range(params.attacks_per_species):
            yield attack(head, params.seed, number, species, index, params.attack_size)


def _clips(head: HeadAssets, number: int, params: SyntheticParams) -> Iterator[Row]:
    for species in CLIP_SPECIES:
        yield from clip(
            head, params.seed, number, species, 0, params.clip_size, params.clip_frames, params.clip_fps
        )


_RENDERERS = {"stills": _stills, "attacks": _attacks, "clips": _clips}


def _extent(pack: str, params: SyntheticParams) -> tuple[int, int]:
    """People and pictures per person."""
    if pack == "stills":
        return params.recognition_people, params.stills_per_person
    if pack == "attacks":
        return params.spoof_people, params.bona_fide_per_person + len(SPECIES) * params.attacks_per_species
    return params.clip_people, len(CLIP_SPECIES) * params.clip_frames


def _settings(pack: str, params: SyntheticParams) -> dict[str, float]:
    """The parameters that a person's pictures depend on; the count of people is not among them."""
    common = {"seed": params.seed}
    if pack == "stills":
        return {**common, "size": params.still_size, "stills": params.stills_per_person}
    if pack == "attacks":
        size = {"size": params.attack_size}
        return {**common, **size, "live": params.bona_fide_per_person, "attacks": params.attacks_per_species}
    return {**common, "size": params.clip_size, "frames": params.clip_frames, "fps": params.clip_fps}


@lru_cache(maxsize=1)
def _head(path: Path) -> HeadAssets:
    return load_head_assets(path)

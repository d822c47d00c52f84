"""The pool: faces of nobody in particular, made of the training people, with a teacher's embedding of each.

A rendered data set can carry a teacher's knowledge of real faces into a small network. The teacher is slow, so it is
asked once, about pictures that are already augmented: student and teacher see the same pixels. The work is cut into
shards: all cores, resumable, and the same pictures whatever the number of processes.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from facegate.contracts import POOL_COLUMNS, Split, Task
from facegate.datasets.augment import Augmenter
from facegate.datasets.batches import Crops, load_crops
from facegate.datasets.mixing import other_face
from facegate.datasets.pack import PackWriter, decode_image, encode_jpeg, open_pack, sha256_file
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.models.recognition.teacher import Teacher
from facegate.params import LessonsParams

PER_SHARD = 512
QUALITY = 95
CODE = (
    "facegate.training.pool",
    "facegate.datasets.augment",
    "facegate.datasets.effects",
    "facegate.datasets.mixing",
    "facegate.models.recognition.teacher",
)
"""Modules that decide what a pool holds."""


class Lesson(NamedTuple):
    """One shard of a pool."""

    crops: str
    teacher: str
    number: int
    pictures: int
    augmentation: float
    seed: int


def write_lessons(
    crops: Path, teacher: Path, out: Path, params: LessonsParams, cache: Path, workers: int = 0
) -> int:
    """Make the pool of a student.

    Args:
        crops: pack of aligned faces; only its training split is read.
        teacher: ONNX file, see :class:`Teacher`.
        out: the pack to write.
        params: how many faces, and how strongly augmented.
        cache: untracked folder of finished shards.
        workers: processes; 0 for one per core.

    Returns:
        Number of faces.

    Raises:
        PackError: the crops are unreadable, a worker was killed, or the disk is full.
        SourceError: the teacher is missing or unreadable.
    """
    Teacher(teacher)  # a bad file is told of here, not by a worker
    source = {"crops": open_pack(crops).digest, "teacher": sha256_file(teacher)}
    recipe = params.model_dump(mode="json", include={"pictures", "augmentation", "seed"})
    place = shard_cache(cache, "pool", source, recipe, modules=CODE)
    shards = range(0, params.pictures, PER_SHARD)
    jobs = [
        Job(
            f"pool-{number:05d}",
            count,
            Lesson(str(crops), str(teacher), number, count, params.augmentation, params.seed),
        )
        for number, count in enumerate(min(PER_SHARD, params.pictures - start) for start in shards)
    ]
    with PackWriter(out, POOL_COLUMNS, {**source, **recipe, "behind": [params.teacher]}) as pack:
        pack.write_all(run_jobs(teach, jobs, POOL_COLUMNS, place, workers, "asking the teacher"))
    forget(place)
    return params.pictures


def teach(lesson: Lesson) -> Iterator[Row]:
    """Rows of one shard: pictures and the teacher's embeddings of what is left of them after encoding."""
    crops, teacher, augment = _material(lesson.crops, lesson.teacher)
    rng = np.random.default_rng([lesson.seed, lesson.number])
    faces = np.stack([other_face(crops.images, rng) for _ in range(lesson.pictures)])
    encoded = [encode_jpeg(face, QUALITY) for face in augment(faces, rng, lesson.augmentation)]
    embeddings = teacher(np.stack([decode_image(data, "a face of the pool") for data in encoded]))
    for data, embedding in zip(encoded, embeddings, strict=True):
        yield {"image": data, "embedding": embedding}


@lru_cache(maxsize=1)
def _material(crops: str, teacher: str) -> tuple[Crops, Teacher, Augmenter]:
    torch.set_num_threads(1)
    return load_crops(Path(crops), Split.TRAIN), Teacher(Path(teacher)), Augmenter(Task.RECOGNITION)

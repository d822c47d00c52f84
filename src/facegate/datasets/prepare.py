"""From pictures to what a network sees: find the face, choose it, crop it.

The same detector, alignment and crops run here and at the door. A picture without a usable face is counted
per split and species and listed by id: a detector that misses one kind of attack would otherwise flatter
every figure that follows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Column, Split, Task, nullable
from facegate.datasets.framing import AROUND_COLUMNS, around
from facegate.datasets.pack import Pack, PackWriter, decode_image, encode_png, open_pack, rows_of
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.datasets.traps import source_account
from facegate.errors import FacegateError, PackError, PictureError
from facegate.faces.align import align
from facegate.faces.crop import context_crop
from facegate.faces.detect import Detector, Face, overlap
from facegate.params import PrepareParams

SAMPLE_PACK = {
    Task.RECOGNITION: "stills",
    Task.SPOOF: "attacks",
    Task.LIVENESS: "clips",
    Task.EYES: "clips",
}
"""Which pack below ``data/samples`` a task is prepared from."""
ALIGNED_SIZE = 112
"""Side of a recognition crop, pixels."""
WRONG_FACE = 0.5
"""A face further than this from the true landmarks, in eye distances, is somebody else's or none."""
PICTURES_PER_SHARD = 64
EXAMPLES = 20
CARRIED = ("source", "protocol", "test", "pairs")
"""Metadata of the sample pack that the crop pack keeps; ``pairs`` are [fold, id, id, mated]."""


def columns_of(task: Task) -> tuple[Column, ...]:
    """Columns of a task's crop pack."""
    return (*CROP_COLUMNS, *(AROUND_COLUMNS if task is Task.SPOOF else ()))


def shard_columns(task: Task) -> tuple[Column, ...]:
    """A shard: rows of a crop pack, and what stands in for a crop that could not be made."""
    optional = (c._replace(nullable=True) for c in columns_of(task))
    return (*optional, nullable("problem", "string", "why there is no crop"))


def prepare(
    task: Task, samples: Path, out: Path, params: PrepareParams, cache: Path = Path(".cache/crops")
) -> dict[str, Any]:
    """Detect and crop every picture of a task.

    Args:
        task: recognition gets aligned crops of 112 × 112, all others context crops.
        samples: folder of the sample packs, see :data:`SAMPLE_PACK`.
        out: folder of the crop pack.
        params: detector and crop sizes; ``workers`` never changes the pack.
        cache: where finished shards are kept until the pack is whole.

    Returns:
        Statistics for a metrics file, also in the pack's metadata: see :meth:`Tally.summary`.

    Raises:
        PackError: the sample pack is missing or corrupt, a worker died, or the disk is full.
    """
    samples = samples / SAMPLE_PACK[task]
    pack = _samples_of(task, samples)
    cropper = Cropper(task, samples, pack.digest, params)
    settings = params.model_dump(exclude={"workers"})
    shards = shard_cache(
        cache, task, pack.digest, settings, modules=[__name__, "facegate.datasets.framing", "facegate.faces"]
    )
    jobs = [Job(f"{start:08d}", stop - start, (start, stop)) for start, stop in _spans(len(pack))]
    tally = Tally()
    with PackWriter(out, columns_of(task)) as writer:
        rows = run_jobs(
            cropper, jobs, shard_columns(task), shards, params.workers, f"cropping {samples.name}"
        )
        writer.write_all(tally.count(rows))
        kept = {name: pack.metadata[name] for name in CARRIED if name in pack.metadata}
        writer.metadata = {**kept, "task": str(task), "samples_digest": pack.digest, **tally.summary(None)}
    forget(shards)
    met = source_account(pack.metadata)
    return {**tally.summary(EXAMPLES), **({"source": met} if met else {})}


def _samples_of(task: Task, path: Path) -> Pack:
    if rows_of(path) == 0:
        raise PackError(
            f"{path}: the data source has nothing for {task}",
            "leave the task out of `tasks` in params.yaml (and set `frame: []`), or choose another source",
        )
    return open_pack(path, SAMPLE_COLUMNS)


@dataclass(frozen=True)
class Cropper:
    """Crops a span of rows of a sample pack; runs in the worker processes."""

    task: Task
    samples: Path
    digest: str
    params: PrepareParams

    def __call__(self, span: tuple[int, int]) -> Iterator[Row]:
        """Crop rows `span[0]` to `span[1]`; a picture without a usable face gives a row with a ``problem``."""
        for row in cached_pack(self.samples, self.digest).rows(*span):
            try:
                yield crop_sample(row, self.task, cached_detector(self.params.detector_score), self.params)
            except FacegateError as error:
                known = {name: row[name] for name in ("sample_id", "subject_id", "split", "species")}
                yield {**known, "problem": error.problem}


def crop_sample(row: Row, task: Task, detector: Detector, params: PrepareParams) -> dict[str, Any]:
    """Row of a crop pack from a row of a sample pack.

    Raises:
        PictureError: no face, or only another face than the one whose true landmarks are known.
        PackError: the picture cannot be decoded.
    """
    image = decode_image(row["image"], row["sample_id"])
    kept = params.surroundings and task is Task.SPOOF and row["split"] == Split.TRAIN
    face, error = choose_face(detector.detect(image), row["landmarks"], row["face_box"])
    if task is Task.RECOGNITION:
        kind, crop = "aligned", align(image, face.landmarks, ALIGNED_SIZE)
    else:
        kind, crop = "context", context_crop(image, face.box, params.context_factor, params.context_size)
    return {
        **row,
        "image": encode_png(crop),
        "height": crop.shape[0],
        "width": crop.shape[1],
        "crop": kind,
        "detection_score": face.score,
        "box": face.box.tolist(),
        "landmarks": face.landmarks.ravel().tolist(),
        "landmark_error": error,
        **(_surroundings(image, face, params) if kept else {}),
    }


def _surroundings(image: NDArray[np.uint8], face: Face, params: PrepareParams) -> dict[str, Any]:
    part, square = around(image, face.box, params.context_factor, params.context_size)
    return {"around": encode_png(part), "square": square}


def choose_face(
    faces: list[Face], true: ArrayLike | None, box: ArrayLike | None = None
) -> tuple[Face, float | None]:
    """The face that a sample is about.

    It is the one nearest to the true landmarks; where none are known, the one that overlaps most with the
    data set's own box; without a box, or where none overlaps (published boxes are poor), the largest.

    Args:
        faces: detected faces, the largest first.
        true: true landmarks, ten numbers; or None.
        box: the data set's own box x y w h; or None.

    Returns:
        The face and its landmark error: mean distance / eye distance.

    Raises:
        PictureError: there is none, or none within half an eye distance of the true landmarks.
    """
    if not faces:
        raise PictureError("no face found")
    if true is None:
        shared = (
            [0.0] * len(faces) if box is None else overlap(np.asarray(box), np.array([f.box for f in faces]))
        )
        return faces[int(np.argmax(shared))], None
    points = np.asarray(true, np.float32).reshape(5, 2)
    errors = [landmark_error(face.landmarks, points) for face in faces]
    best = int(np.argmin(errors))
    if not errors[best] <= WRONG_FACE:
        raise PictureError("another face found")
    return faces[best], errors[best]


def landmark_error(found: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Mean distance of five landmarks (5, 2) to the true ones, in true eye distances."""
    eyes = float(np.linalg.norm(true[1] - true[0]))
    return float(np.linalg.norm(found - true, axis=1).mean()) / max(eyes, 1e-6)


@dataclass
class Tally:
    """Counts what was cropped and what was missed while rows pass by."""

    pictures: Counter[tuple[str, str]] = field(default_factory=Counter)
    crops: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    not_acquired: list[list[str]] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass on the crops, without the column ``problem``."""
        for row in rows:
            group = (row["split"], row["species"])
            self.pictures[group] += 1
            if row["problem"] is not None:
                self.missed[row["sample_id"]] = row["problem"]
                self.not_acquired.append([row["sample_id"], row["subject_id"], *group])
                continue
            self.crops[group] += 1
            if row["landmark_error"] is not None:
                self.errors.append(row["landmark_error"])
            yield {name: value for name, value in row.items() if name != "problem"}

    def summary(self, examples: int | None) -> dict[str, Any]:
        """The statistics.

        Args:
            examples: how many of the missed pictures are listed; None for all.

        Returns:
            ``pictures``, ``crops``, ``detection_rate`` (0 to 1), the same ``by_split`` and ``by_species``,
            ``landmark_error`` (mean and 95th percentile, in eye distances, where the truth is known) and
            ``missed`` (sample id: reason); with all of them also ``not_acquired`` (sample, subject, split,
            species), which evaluation counts as failures to acquire.
        """
        return {
            **({"not_acquired": self.not_acquired} if examples is None else {}),
            **_rate(self.pictures.total(), self.crops.total()),
            "by_split": self._by(0),
            "by_species": self._by(1),
            "landmark_error": _landmark_errors(self.errors),
            "missed": dict(list(self.missed.items())[:examples]),
        }

    def _by(self, part: int) -> dict[str, dict[str, Any]]:
        groups = sorted({group[part] for group in self.pictures})
        totals = ((g, *(_total(c, part, g) for c in (self.pictures, self.crops))) for g in groups)
        return {group: _rate(pictures, crops) for group, pictures, crops in totals}


def _total(counter: Counter[tuple[str, str]], part: int, name: str) -> int:
    return sum(count for group, count in counter.items() if group[part] == name)


def _rate(pictures: int, crops: int) -> dict[str, Any]:
    return {"pictures": pictures, "crops": crops, "detection_rate": crops / pictures if pictures else None}


def _landmark_errors(errors: list[float]) -> dict[str, float] | None:
    if not errors:
        return None
    return {"mean": float(np.mean(errors)), "p95": float(np.percentile(errors, 95))}


def _spans(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, PICTURES_PER_SHARD):
        yield start, min(start + PICTURES_PER_SHARD, length)


@lru_cache(maxsize=1)
def cached_pack(path: Path, digest: str) -> Pack:
    """A pack that a worker process opens once; `digest` tells another one at the same place."""
    return open_pack(path)


@lru_cache(maxsize=1)
def cached_detector(score: float) -> Detector:
    """The detector of a worker process."""
    return Detector(score)

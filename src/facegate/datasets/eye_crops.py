"""Crop packs of single eyes, from pictures whose eyelids the data set knows.

They come from the clips, which blink, and from the stills and single presentations, which show many more people: all of
these with closed eyes, and for each of them a few with open ones. Face and landmarks are the detector's, as at the door.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Task
from facegate.datasets.pack import Pack, PackWriter, decode_image, encode_png, open_pack
from facegate.datasets.prepare import (
    CARRIED,
    EXAMPLES,
    PICTURES_PER_SHARD,
    SAMPLE_PACK,
    Tally,
    cached_detector,
    cached_pack,
    choose_face,
    shard_columns,
)
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.errors import FacegateError, PackError
from facegate.faces.detect import Detector
from facegate.faces.eyes import EYE_SIZE, SIDES, eye_crops
from facegate.params import PrepareParams

SINGLE = ("stills", "attacks")
"""Sample packs of single pictures."""
OPEN_PER_CLOSED = 4
"""Single pictures with open eyes for each one with closed eyes."""
CLOSED = 0.5
"""Closure from which eyes count as closed, 0 to 1."""


@dataclass(frozen=True)
class EyeCropper:
    """Cuts the eyes out of some rows of a sample pack; runs in the worker processes."""

    samples: Path
    digest: str
    params: PrepareParams

    def __call__(self, rows: tuple[int, ...]) -> Iterator[Row]:
        """Two crops a picture; a picture without a usable face gives two rows with a ``problem``."""
        pack = cached_pack(self.samples, self.digest)
        for number in rows:
            (row,) = pack.rows(number, number + 1)
            try:
                yield from crop_eyes(row, cached_detector(self.params.detector_score))
            except FacegateError as error:
                known = {name: row[name] for name in ("split", "species")}
                for side in SIDES:
                    yield {**known, "sample_id": f"{row['sample_id']}/{side}", "problem": error.problem}


def crop_eyes(row: Row, detector: Detector) -> Iterator[dict[str, Any]]:
    """Rows of a crop pack from a row of a sample pack: right eye, left eye.

    Raises:
        PictureError: no face, or only another face than the one whose true landmarks are known.
        PackError: the picture cannot be decoded.
    """
    image = decode_image(row["image"], row["sample_id"])
    face, error = choose_face(detector.detect(image), row["landmarks"], row["face_box"])
    for side, crop in zip(SIDES, eye_crops(image, face.landmarks), strict=True):
        yield {
            **row,
            "sample_id": f"{row['sample_id']}/{side}",
            "image": encode_png(crop),
            "height": EYE_SIZE,
            "width": EYE_SIZE,
            "crop": "eye",
            "detection_score": face.score,
            "box": face.box.tolist(),
            "landmarks": face.landmarks.ravel().tolist(),
            "landmark_error": error,
        }


def prepare_eyes(
    samples: Path, out: Path, params: PrepareParams, cache: Path = Path(".cache/crops")
) -> dict[str, Any]:
    """Cut the eyes out of the clips and of some single pictures, those of which there are packs.

    Args:
        samples: folder of the sample packs.
        out: folder of the crop pack.
        params: the detector; ``workers`` never changes the pack.
        cache: where finished shards are kept until the pack is whole.

    Returns:
        Statistics for a metrics file, counted by eyes, see :meth:`Tally.summary`.

    Raises:
        PackError: a sample pack is missing or corrupt, or no picture says how far the eyes are closed.
    """
    clips = open_pack(samples / SAMPLE_PACK[Task.EYES], SAMPLE_COLUMNS)
    single = {name: open_pack(samples / name, SAMPLE_COLUMNS) for name in SINGLE if (samples / name).exists()}
    chosen = [(clips, _known(clips)), *((pack, balanced(pack)) for pack in single.values())]
    if not any(len(rows) for _, rows in chosen):
        raise PackError(
            f"{samples}: no picture says how far the eyes are closed (column `blink`)",
            "take the synthetic source for this task",
        )
    digests = {name: pack.digest for name, pack in single.items()}
    settings = {"score": params.detector_score, **digests}
    shards = shard_cache(
        cache,
        Task.EYES,
        clips.digest,
        settings,
        modules=[__name__, "facegate.datasets.prepare", "facegate.faces"],
    )
    tally = Tally()
    with PackWriter(out, CROP_COLUMNS) as writer:
        for pack, rows in chosen:
            cropper = EyeCropper(pack.path, pack.digest, params)
            title = f"cropping eyes of {pack.path.name}"
            made = run_jobs(
                cropper, list(_jobs(pack, rows)), shard_columns(Task.EYES), shards, params.workers, title
            )
            writer.write_all(tally.count(made))
        kept = {name: clips.metadata[name] for name in CARRIED if name in clips.metadata}
        origin = {
            "samples_digest": clips.digest,
            **{f"{name}_digest": digest for name, digest in digests.items()},
        }
        writer.metadata = {**kept, "task": str(Task.EYES), **origin, **tally.summary(None)}
    forget(shards)
    return tally.summary(EXAMPLES)


def balanced(pack: Pack) -> list[int]:
    """Rows with closed eyes, and evenly spread among the others so many times as many with open ones."""
    closure, rows = pack.column("blink"), _known(pack)
    closed = [row for row in rows if closure[row] >= CLOSED]
    others = [row for row in rows if closure[row] < CLOSED]
    count = min(len(others), OPEN_PER_CLOSED * len(closed))
    spread = np.linspace(0, len(others) - 1, count).round().astype(int) if count else []
    return sorted([*closed, *(others[i] for i in spread)])


def _known(pack: Pack) -> list[int]:
    """Rows whose eyelids are known."""
    return [
        row for row, closure in enumerate(pack.column("blink")) if closure is not None and closure == closure
    ]


def _jobs(pack: Pack, rows: list[int]) -> Iterator[Job]:
    for start in range(0, len(rows), PICTURES_PER_SHARD):
        part = tuple(rows[start : start + PICTURES_PER_SHARD])
        yield Job(f"{pack.path.name}-{start:08d}", len(part), part)

"""Crop packs of whole clips: faces found frame by frame, crops put onto film strips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Task
from facegate.datasets.pack import Pack, PackWriter, decode_image, encode_png, open_pack
from facegate.datasets.prepare import (
    CARRIED,
    EXAMPLES,
    SAMPLE_PACK,
    Tally,
    cached_detector,
    cached_pack,
    choose_face,
    shard_columns,
)
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.errors import FacegateError, PictureError
from facegate.faces.crop import context_crop
from facegate.faces.detect import Detector
from facegate.faces.film import LEAST_FRAMES, film_strip, slots
from facegate.params import PrepareParams


@dataclass(frozen=True)
class ClipCropper:
    """Makes film strips of the clips of a sample pack; runs in the worker processes."""

    samples: Path
    digest: str
    params: PrepareParams

    def __call__(self, span: tuple[int, int]) -> Iterator[Row]:
        """The strip of the clip in rows `span[0]` to `span[1]`, or a row with a ``problem``."""
        rows = cached_pack(self.samples, self.digest).rows(*span)
        try:
            yield crop_clip(rows, cached_detector(self.params.detector_score), self.params)
        except FacegateError as error:
            known = {name: rows[0][name] for name in ("split", "species")}
            yield {**known, "sample_id": rows[0]["clip_id"], "problem": error.problem}


def crop_clip(rows: Sequence[Row], detector: Detector, params: PrepareParams) -> dict[str, Any]:
    """Row of a crop pack from all rows of a clip; what varies within the clip is taken from its first frame.

    Raises:
        PictureError: the face was found in fewer than eight frames.
        PackError: a picture cannot be decoded.
    """
    crops, faces, times = [], [], []
    for row in rows:
        image = decode_image(row["image"], row["sample_id"])
        try:
            face, _ = choose_face(detector.detect(image), row["landmarks"], row["face_box"])
        except PictureError:
            continue
        crops.append(context_crop(image, face.box, params.context_factor, params.context_size))
        faces.append(face)
        times.append(float(row["frame"]) if row["time_s"] is None else float(row["time_s"]))
    if len(crops) < min(LEAST_FRAMES, len(rows)):
        raise PictureError(f"the face was found in {len(crops)} of {len(rows)} frames")
    chosen = slots(times, params.clip_frames)
    landmarks = np.stack([faces[i].landmarks for i in chosen])
    strip = film_strip(np.stack([crops[i] for i in chosen]))
    return {
        **rows[0],
        "sample_id": rows[0]["clip_id"],
        "image": encode_png(strip),
        "height": strip.shape[0],
        "width": strip.shape[1],
        "crop": "clip",
        "detection_score": float(np.mean([face.score for face in faces])),
        "box": faces[0].box.tolist(),
        "landmarks": landmarks.ravel().tolist(),
        "landmark_error": None,
    }


def prepare_clips(
    samples: Path, out: Path, params: PrepareParams, cache: Path = Path(".cache/crops")
) -> dict[str, Any]:
    """Make the film strips of all clips.

    Args:
        samples: folder of the sample packs.
        out: folder of the crop pack.
        params: detector, crops and frames; ``workers`` never changes the pack.
        cache: where finished shards are kept until the pack is whole.

    Returns:
        Statistics for a metrics file, counted by clips, see :meth:`Tally.summary`.

    Raises:
        PackError: the sample pack is missing or corrupt.
    """
    pack = open_pack(samples / SAMPLE_PACK[Task.LIVENESS], SAMPLE_COLUMNS)
    settings = params.model_dump(exclude={"workers"})
    shards = shard_cache(
        cache,
        Task.LIVENESS,
        pack.digest,
        settings,
        modules=[__name__, "facegate.datasets.prepare", "facegate.faces"],
    )
    cropper = ClipCropper(pack.path, pack.digest, params)
    tally = Tally()
    with PackWriter(out, CROP_COLUMNS, rows_per_part=256) as writer:
        made = run_jobs(
            cropper,
            list(_jobs(pack)),
            shard_columns(Task.LIVENESS),
            shards,
            params.workers,
            "making film strips",
        )
        writer.write_all(tally.count(made))
        kept = {name: pack.metadata[name] for name in CARRIED if name in pack.metadata}
        digest = {"samples_digest": pack.digest}
        writer.metadata = {**kept, "task": str(Task.LIVENESS), **digest, **tally.summary(None)}
    forget(shards)
    return tally.summary(EXAMPLES)


def _jobs(pack: Pack) -> Iterator[Job]:
    """One job a clip; the frames of a clip are neighbours, in order."""
    for clip, rows in groupby(enumerate(pack.column("clip_id")), key=lambda item: item[1]):
        if clip is not None:
            numbers = [row for row, _ in rows]
            yield Job(f"{numbers[0]:08d}", len(numbers), (numbers[0], numbers[-1] + 1))

"""Rows of a sample pack from the files that records name."""

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.datasets.fingerprints import difference_hash
from facegate.datasets.pack import encode_jpeg, encode_png
from facegate.datasets.shards import Row
from facegate.datasets.traps import TrapError
from facegate.errors import FacegateError, PictureError
from facegate.faces.headers import read_header
from facegate.faces.picture import load_picture
from facegate.sources.boxes import fit_box, frame_boxes
from facegate.sources.records import Frames, Record
from facegate.sources.video import Frame, video_frames

LARGEST_SIDE = 1280
"""Pictures with a longer side are shrunk to it, pixels."""


def read_records(records: Iterable[Record]) -> Iterator[Row]:
    """Rows of a sample pack; one of a file that cannot be used carries only its id, ``problem`` and ``trap``."""
    for item in records:
        try:
            yield from read_record(item)
        except FacegateError as error:
            name = f"{item.row['sample_id']} ({item.file.name})"
            problem = error.problem.removeprefix(f"{item.file}: ")
            trap = error.trap if isinstance(error, TrapError) else "file"
            yield {"sample_id": name, "problem": problem, "trap": trap}


def read_record(item: Record) -> Iterator[Row]:
    """One row for a picture, one for each frame taken from a video, with its ``fingerprint`` and ``trap``.

    Raises:
        PictureError: the file is no usable picture or video.
    """
    if item.problem:
        raise TrapError("label", item.problem)
    if item.frames:
        yield from _read_video(item, item.frames)
        return
    data = _bytes(item)
    image = load_picture(data)
    row = _with_box({**item.row, "trap": item.note}, item.row.get("face_box"), image, item.box_frame)
    yield _fit(row, image, data if _is_plain(data) else None)


def _bytes(item: Record) -> bytes:
    if item.content is not None:
        return item.content
    try:
        with item.file.open("rb") as file:
            if item.span is None:
                return file.read()
            file.seek(item.span.start)
            return file.read(item.span.size)
    except OSError as error:
        raise PictureError(f"{item.file}: cannot be read: {error.strerror}", "restore the file") from error


def _read_video(item: Record, which: Frames) -> Iterator[Row]:
    boxes = frame_boxes(which.boxes, which.box_form) if which.boxes else None
    for frame in video_frames(item.file, which.rate, which.first):
        box = boxes.get(frame.number) if boxes else None
        yield _fit(_with_box(_frame_row(item.row, frame), box, frame.image, None), frame.image, None)


def _frame_row(row: Row, frame: Frame) -> dict[str, Any]:
    clip = row["sample_id"]
    known = {"sample_id": f"{clip}#{frame.number:05d}", "clip_id": clip}
    return {**row, **known, "frame": frame.number, "time_s": frame.time_s}


def _with_box(
    row: dict[str, Any], box: list[float] | None, image: NDArray[np.uint8], box_frame: float | None
) -> dict[str, Any]:
    fitted = fit_box(box, image.shape[1], image.shape[0], box_frame) if box else None
    trap = "box" if box and fitted is None else row.get("trap")
    return {**row, "face_box": fitted, "trap": trap}


def _fit(row: dict[str, Any], image: NDArray[np.uint8], data: bytes | None) -> dict[str, Any]:
    """Shrink a large picture with its landmarks and box; keep the bytes of a small one where they are given."""
    row["fingerprint"] = difference_hash(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))
    longer = max(image.shape[:2])
    if longer > LARGEST_SIDE:
        zoom = LARGEST_SIDE / longer
        image = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
        data = encode_jpeg(image)
        if row.get("landmarks") is not None:
            row["landmarks"] = [(value + 0.5) * zoom - 0.5 for value in row["landmarks"]]
        if row.get("face_box") is not None:
            row["face_box"] = [value * zoom for value in row["face_box"]]
    if data is None:
        data = encode_jpeg(image) if "clip_id" in row else encode_png(image)
    return {**row, "image": data, "height": image.shape[0], "width": image.shape[1]}


def _is_plain(data: bytes) -> bool:
    """Whether any decoder makes the same upright RGB of the file, so that it may go into a pack as it is."""
    header = read_header(data)
    if header.orientation != 1 or header.end != len(data):
        return False
    depth, colours = data[24:26]  # of a PNG: bits per sample, and 0 for grey, 2 for RGB
    return header.format == "JPEG" or (header.format == "PNG" and depth == 8 and colours in (0, 2))

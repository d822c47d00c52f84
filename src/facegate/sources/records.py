"""From files to sample packs: what all sources have in common.

A source knows the layout of one data set; it lists :class:`Record` after record without opening a picture.
Reading, checking and packing them is done here, by all cores and resumably. A picture that cannot be read
is counted and listed in the pack's metadata, never dropped in silence.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies, Column, Split, nullable
from facegate.datasets.pack import PackWriter, encode_jpeg, encode_png
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.errors import FacegateError, PictureError
from facegate.faces.headers import read_header
from facegate.faces.picture import load_picture

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Endings of files that are taken for pictures."""
LARGEST_SIDE = 1280
"""Pictures with a longer side are shrunk to it, pixels."""
RECORDS_PER_SHARD = 64

_PROBLEM = nullable("problem", "string", "why the file could not be used")
_READ_COLUMNS: tuple[Column, ...] = (
    *(c._replace(nullable=True) for c in SAMPLE_COLUMNS),
    _PROBLEM,
)


class Record(NamedTuple):
    """One file of a data set, not opened yet.

    Attributes:
        file: the picture.
        row: what the layout tells about it: columns of ``SAMPLE_COLUMNS`` but the picture and its size.
    """

    file: Path
    row: Mapping[str, Any]


def record(
    file: Path,
    sample_id: str,
    subject_id: str,
    split: Split,
    source: str,
    species: AttackSpecies = AttackSpecies.BONA_FIDE,
    **optional: Any,
) -> Record:
    """A record with every required column; `optional` are other columns of ``SAMPLE_COLUMNS``."""
    row = {"sample_id": sample_id, "subject_id": subject_id, "split": str(split), "source": source}
    return Record(file, {**row, "species": str(species), **optional})


def pack_records(
    records: Sequence[Record], out: Path, cache: Path = Path(".cache/samples"), workers: int = 0
) -> dict[str, Any]:
    """Read the files of `records` and write them as a sample pack.

    Args:
        records: what to read, in the order of the pack.
        out: folder of the pack.
        cache: where finished shards are kept until the pack is whole.
        workers: processes; 0 for one per core. Never changes the pack.

    Returns:
        The pack's metadata: ``samples``, ``unreadable`` (count) and ``problems`` (file: reason, all of them).
    """
    shards = shard_cache(cache, out.name, _digest(records), modules=[__name__])
    batches = (records[i : i + RECORDS_PER_SHARD] for i in range(0, len(records), RECORDS_PER_SHARD))
    jobs = [Job(f"{number:06d}", len(batch), batch) for number, batch in enumerate(batches)]
    problems: dict[str, str] = {}
    metadata: dict[str, Any] = {"problems": problems}
    with PackWriter(out, SAMPLE_COLUMNS, metadata) as writer:
        rows = (
            run_jobs(read_records, jobs, _READ_COLUMNS, shards, workers, f"reading {out.name}")
            if jobs
            else ()
        )
        writer.write_all(_readable(rows, problems))
        writer.metadata |= {"samples": len(records) - len(problems), "unreadable": len(problems)}
    forget(shards)
    return writer.metadata


def read_records(records: Iterable[Record]) -> Iterator[Row]:
    """Rows of a sample pack; a row of a file that cannot be read carries only its id and the ``problem``."""
    for item in records:
        try:
            yield read_record(item)
        except FacegateError as error:
            name = f"{item.row['sample_id']} ({item.file.name})"
            yield {"sample_id": name, "problem": error.problem.removeprefix(f"{item.file}: ")}


def read_record(item: Record) -> dict[str, Any]:
    """Row of a sample pack.

    Raises:
        PictureError: the file is no usable picture.
    """
    try:
        data = item.file.read_bytes()
    except OSError as error:
        raise PictureError(f"{item.file}: cannot be read: {error.strerror}", "restore the file") from error
    row = dict(item.row)
    image = load_picture(data)
    longer = max(image.shape[:2])
    if longer > LARGEST_SIDE:
        zoom = LARGEST_SIDE / longer
        image = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
        data = encode_jpeg(image)
        if row.get("landmarks") is not None:
            row["landmarks"] = [(value + 0.5) * zoom - 0.5 for value in row["landmarks"]]
    elif not _is_plain(data):
        data = encode_png(image)
    return {**row, "image": data, "height": image.shape[0], "width": image.shape[1]}


def pictures_in(folder: Path) -> list[Path]:
    """All pictures below a folder in a stable order; hidden files and other kinds of file are passed over."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def _is_plain(data: bytes) -> bool:
    """Whether any decoder makes the same upright RGB of the file, so that it may go into a pack as it is."""
    header = read_header(data)
    if header.orientation != 1 or header.end != len(data):
        return False
    depth, colours = data[24:26]  # of a PNG: bits per sample, and 0 for grey, 2 for RGB
    return header.format == "JPEG" or (header.format == "PNG" and depth == 8 and colours in (0, 2))


def _readable(rows: Iterable[Row], problems: dict[str, str]) -> Iterator[Row]:
    for row in rows:
        if row["problem"] is None:
            yield {name: value for name, value in row.items() if name != "problem"}
        else:
            problems[row["sample_id"]] = row["problem"]


def _digest(records: Iterable[Record]) -> str:
    """SHA-256 over the records and the sizes and times of their files."""
    digest = hashlib.sha256()
    for item in records:
        stat = item.file.stat() if item.file.is_file() else None
        state = [str(item.file), item.row, stat and [stat.st_size, stat.st_mtime_ns]]
        digest.update(json.dumps(state, sort_keys=True, default=str).encode())
    return digest.hexdigest()

"""What a source lists: one record per file, not opened yet.

A source knows the layout of one data set. It says of every file whose face it shows, in which split, and
which kind of presentation; reading the files is the same for all sources and done elsewhere.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from facegate.contracts import AttackSpecies, Split

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
VIDEOS = frozenset({".mov", ".avi", ".mp4", ".mkv", ".m4v", ".webm"})
"""Endings of files that are taken for pictures and for videos."""


class Frames(NamedTuple):
    """Which frames of a video are taken.

    Attributes:
        rate: frames per second.
        first: only frames with a smaller number; None for all.
        boxes: side file with a face box per frame, if there is one.
        box_form: ``corners`` (x1 y1 x2 y2, a row per frame) or ``numbered`` (frame x y w h).
    """

    rate: float = 2.0
    first: int | None = None
    boxes: Path | None = None
    box_form: Literal["corners", "numbered"] = "corners"


class Span(NamedTuple):
    """Part of a file that is a picture: first byte and number of bytes."""

    start: int
    size: int


class Pair(NamedTuple):
    """One comparison of a verification protocol: fold (from 1), two sample ids, whether they show one person."""

    fold: int
    first: str
    second: str
    mated: bool


class Record(NamedTuple):
    """One picture or video of a data set.

    Attributes:
        file: where it is.
        row: what the layout tells about it: columns of ``SAMPLE_COLUMNS`` but the picture and its size.
        frames: for a video, which frames are taken.
        span: for a picture inside a larger file, where.
        box_frame: side of the square that ``face_box`` is given in; None if it is in pixels.
        content: the picture itself, where it was read with its list.
        problem: why it cannot be used, where the label alone tells so.
        note: name of a trap that the layout shows and that leaves the sample usable.
    """

    file: Path
    row: Mapping[str, Any]
    frames: Frames | None = None
    span: Span | None = None
    box_frame: float | None = None
    content: bytes | None = None
    problem: str | None = None
    note: str | None = None


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


def files_in(folder: Path, endings: frozenset[str] = PICTURES) -> list[Path]:
    """All files below a folder with one of `endings`, in a stable order; hidden ones are passed over."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in endings and p.is_file())
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))

"""Spoof in the Wild: 165 subjects, live, print and replay videos of about 15 s, 30 frames a second.

``{Train,Test}/{live,spoof}/<subject>/<subject>-<sensor>-<type>-<medium>-<session>.mov``; the web page writes
underscores, the files have hyphens, both are read. Beside each video lies a ``.face`` file with a row
``x1 y1 x2 y2`` per frame, all zeros where no face was found. The official set has no validation part:
subjects for it are taken from training.

Paper: Liu et al., *Learning Deep Models for Face Anti-Spoofing*, CVPR 2018. The lists of protocols 2 and 3
follow their idea (one medium, one kind of attack left out).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from facegate.contracts import AttackSpecies, Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import VIDEOS, Frames, Record, files_in, record
from facegate.sources.splits import split_subjects

NAME = "siw"
PINS: dict[str, str] = {}
LIVE, PRINT, REPLAY = 1, 2, 3
FIRST_FRAMES = 60
"""Protocol 1 trains on so many frames of each video and tests on all."""
SENSORS = {1: "canon-eos-t6", 2: "webcam"}
_STEM = re.compile(r"^(\d+)[-_](\d+)[-_](\d+)[-_](\d+)[-_](\d+)$")
_SPECIES = {LIVE: AttackSpecies.BONA_FIDE, PRINT: AttackSpecies.PRINT, REPLAY: AttackSpecies.REPLAY_OTHER}
_NATIVE = {LIVE: "live", PRINT: "print", REPLAY: "replay"}


class Presentation(NamedTuple):
    """What a file name says."""

    subject: str
    sensor: int
    type: int
    medium: int
    session: int


class Protocol(NamedTuple):
    """Which attacks (type, medium) are trained on and which are tested on; live videos always are."""

    train: frozenset[tuple[int, int]]
    test: frozenset[tuple[int, int]]
    first_frames: int | None = None


_PRINTS = frozenset((PRINT, medium) for medium in (1, 2))
_REPLAYS = frozenset((REPLAY, medium) for medium in (1, 2, 3, 4))
PROTOCOLS: dict[str, Protocol] = {
    "1": Protocol(_PRINTS | _REPLAYS, _PRINTS | _REPLAYS, FIRST_FRAMES),
    **{f"2_{m}": Protocol(_REPLAYS - {(REPLAY, m)}, frozenset({(REPLAY, m)})) for m in (1, 2, 3, 4)},
    "3_1": Protocol(_PRINTS, _REPLAYS),
    "3_2": Protocol(_REPLAYS, _PRINTS),
}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of the videos that the protocol uses.

    Raises:
        SourceError: a folder is missing, a file is misnamed, or a subject is trained and tested on.
    """
    rule = PROTOCOLS[choose_protocol(NAME, protocol, PROTOCOLS)]
    parts = {part: _videos(find(NAME, root, part, part.lower())) for part in ("Train", "Test")}
    people = {part: {found.subject for _, found in videos} for part, videos in parts.items()}
    if people["Train"] & people["Test"]:
        shared = ", ".join(sorted(people["Train"] & people["Test"])[:5])
        raise SourceError(f"{root}: subjects {shared} are in Train and Test", "restore the original folders")
    chosen = split_subjects(people["Train"], split)
    for file, found in parts["Train"]:
        if found.type == LIVE or (found.type, found.medium) in rule.train:
            part = Split.VAL if chosen[found.subject] is Split.VAL else Split.TRAIN
            yield _record(file, found, part, rule.first_frames)
    for file, found in parts["Test"]:
        if found.type == LIVE or (found.type, found.medium) in rule.test:
            yield _record(file, found, Split.TEST, None)


def parse(file: Path) -> Presentation:
    """Read a file name.

    Raises:
        SourceError: it is none of this set's.
    """
    match = _STEM.match(file.stem)
    if not match or int(match[3]) not in _SPECIES:
        raise SourceError(
            f"{file}: expected subject-sensor-type-medium-session.mov", "rename the file, or take it away"
        )
    return Presentation(match[1], *(int(match[i]) for i in range(2, 6)))


def _videos(folder: Path) -> list[tuple[Path, Presentation]]:
    found = [(file, parse(file)) for file in files_in(folder, VIDEOS)]
    if not found:
        raise SourceError(f"{folder}: no video found", "unpack the videos there")
    for file, video in found:
        kinds = {"live", "spoof"} & set(file.parts)
        if kinds and ("live" in kinds) != (video.type == LIVE):
            raise SourceError(f"{file}: its name and its folder disagree", "restore the original folders")
    return found


def _record(file: Path, found: Presentation, split: Split, first: int | None) -> Record:
    boxes = file.with_suffix(".face")
    native = _NATIVE[found.type] if found.type == LIVE else f"{_NATIVE[found.type]}-{found.medium}"
    return record(
        file,
        file.stem,
        found.subject,
        split,
        NAME,
        _SPECIES[found.type],
        species_native=native,
        camera=SENSORS.get(found.sensor, str(found.sensor)),
        session=str(found.session),
    )._replace(frames=Frames(first=first, boxes=boxes if boxes.is_file() else None))

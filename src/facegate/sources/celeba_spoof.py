"""CelebA-Spoof: 625,537 pictures of 10,177 subjects, live (from CelebA) and spoof (ten kinds of attack).

Read is what ``metas/intra_test/*_label.json`` lists and nothing else, so that left-over folders (``train_2``)
stay out. A label has 44 values: 40 face attributes in CelebA's order (the authors say so; meant for live pictures),
kind of attack, illumination, environment, and the flag live/spoof. Boxes are in a frame of 224 × 224 whatever the
picture's size; some are negative, some files are empty. Live pictures are CelebA's: do not test a recogniser
trained on CelebA here.

Paper: Zhang et al., *CelebA-Spoof*, ECCV 2020.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from facegate.contracts import AttackSpecies, Split
from facegate.errors import PictureError, SourceError
from facegate.params import SplitParams
from facegate.sources.boxes import read_numbers
from facegate.sources.celeba import ATTRIBUTES
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import Record, record
from facegate.sources.splits import split_subjects

NAME = "celeba_spoof"
PROTOCOLS = ("intra",)
PINS: dict[str, str] = {}
BOX_FRAME = 224.0
VALUES = 44
KINDS = (
    ("live", AttackSpecies.BONA_FIDE),
    ("photo", AttackSpecies.PRINT),
    ("poster", AttackSpecies.PRINT),
    ("a4", AttackSpecies.PRINT),
    ("face mask", AttackSpecies.PAPER_MASK),
    ("upper body mask", AttackSpecies.PAPER_MASK),
    ("region mask", AttackSpecies.PARTIAL),
    ("pc", AttackSpecies.REPLAY_MONITOR),
    ("pad", AttackSpecies.REPLAY_TABLET),
    ("phone", AttackSpecies.REPLAY_PHONE),
    ("3d mask", AttackSpecies.MASK_RIGID),
)
"""Value 40 of a label: what the set calls it, and its species."""
ILLUMINATIONS = ("live", "normal", "strong", "back", "dark")
ENVIRONMENTS = ("live", "indoor", "outdoor")


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of every picture that the label files list; validation subjects are taken from training.

    Raises:
        SourceError: a file is missing or malformed, or a subject is listed for training and testing.
    """
    choose_protocol(NAME, protocol, PROTOCOLS)
    train, test = (
        _labels(find(NAME, root, f"metas/intra_test/{part}_label.json")) for part in ("train", "test")
    )
    shared = sorted({_subject(key) for key in train} & {_subject(key) for key in test})
    if shared:
        raise SourceError(
            f"{root}: subjects {', '.join(shared[:5])} … are in both label files", "restore the label files"
        )
    chosen = split_subjects({_subject(key) for key in train}, split, at_least=1)
    for key, label in train.items():
        part = Split.VAL if chosen[_subject(key)] is Split.VAL else Split.TRAIN
        yield _record(root, key, label, part)
    for key, label in test.items():
        yield _record(root, key, label, Split.TEST)


def _labels(file: Path) -> dict[str, Any]:
    try:
        labels = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SourceError(f"{file}: cannot be read: {error}", "restore the original file") from error
    if not isinstance(labels, dict) or not labels:
        raise SourceError(f"{file}: expected labels by picture", "restore the original file")
    return labels


def _subject(key: str) -> str:
    parts = PurePosixPath(key).parts
    if len(parts) < 5 or parts[0] != "Data" or ".." in parts:
        raise SourceError(
            f"label of `{key}`: expected Data/<part>/<subject>/<live|spoof>/<file>", "restore the file"
        )
    return parts[2]


def _record(root: Path, key: str, label: Any, split: Split) -> Record:
    subject = _subject(key)
    file = root / key
    problem = _defect(label, PurePosixPath(key).parts[3])
    if problem:
        return record(file, key, subject, split, NAME)._replace(problem=problem)
    native, species = KINDS[label[40]]
    attributes: dict[str, Any] = {"environment": ENVIRONMENTS[label[42]]}
    known: dict[str, Any] = {}
    if not species.is_attack:
        flags = {name: value == 1 for name, value in zip(ATTRIBUTES, label[:40], strict=True)}
        known = {"sex": "male" if flags["Male"] else "female", "glasses": flags["Eyeglasses"]}
        attributes |= flags
    box = _box(file.with_name(f"{file.stem}_BB.txt"))
    return record(
        file,
        key,
        subject,
        split,
        NAME,
        species,
        species_native=native,
        illumination=ILLUMINATIONS[label[41]],
        face_box=box,
        attributes=json.dumps(attributes, sort_keys=True),
        **known,
    )._replace(box_frame=BOX_FRAME, note=None if box else "box")


def _defect(label: Any, folder: str) -> str | None:
    """What is wrong with a label."""
    if not isinstance(label, list) or len(label) != VALUES:
        return f"label of {len(label) if isinstance(label, list) else 'no'} values, expected {VALUES}"
    kind, light, place, spoof = label[40:44]
    known = (
        kind in range(len(KINDS)) and light in range(len(ILLUMINATIONS)) and place in range(len(ENVIRONMENTS))
    )
    if not known:
        return f"label with unknown values {label[40:44]}"
    if (kind != 0) != bool(spoof) or bool(spoof) != (folder == "spoof"):
        return f"label contradicts itself or its folder: kind {kind}, flag {spoof}, folder {folder}"
    return None


def _box(file: Path) -> list[float] | None:
    """The box of a side file in the 224 frame; None where it is missing, empty or malformed."""
    try:
        rows = read_numbers(file)
    except PictureError:
        return None
    return rows[0][:4] if rows and len(rows[0]) >= 4 else None

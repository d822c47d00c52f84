"""Kaggle's stoicstatic/face-recognition-dataset: 1,680 numbered people in two parallel trees.

``Face Data/Face Dataset/<person>/<n>.jpg`` are whole pictures, ``Extracted Faces/Extracted Faces/<person>/<n>.jpg``
the faces cut out of the same pictures, 128 × 128. One tree is read, never both: merged, every person would
be matched with crops of the very same photographs. The people are those of LFW with two pictures or more (deduced
from the count and the set's card), so testing on LFW after training here is leakage and refused.
"""

from collections.abc import Iterator
from pathlib import Path

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find
from facegate.sources.records import Record, files_in, record
from facegate.sources.splits import split_subjects

NAME = "kaggle_oneshot"
PINS: dict[str, str] = {}
PROTOCOLS = ("pictures", "faces")
_TREES = {
    "pictures": ("Face Data/Face Dataset", "Face Dataset"),
    "faces": ("Extracted Faces/Extracted Faces", "Extracted Faces"),
}


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of one of the two trees, split by person.

    Raises:
        SourceError: the tree is missing or holds folders that are no numbers.
    """
    folder = find(NAME, root, *_TREES[choose_protocol(NAME, protocol, PROTOCOLS)])
    people = sorted(
        (p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")), key=lambda p: p.name
    )
    strange = [p for p in people if not p.name.isdigit()]
    if strange:
        raise SourceError(
            f"{strange[0]}: expected folders named by number; are two trees merged?",
            "unpack the archive anew",
        )
    splits = split_subjects((p.name for p in people), split)
    for person in people:
        for file in files_in(person):
            yield record(file, str(file.relative_to(root)), person.name, splits[person.name], NAME)

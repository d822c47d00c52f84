"""Pictures that a user has: people as folders of pictures, presentations as folders of live and spoof.

::

    <people>/<person>/*.jpg                      recognition
    <presentations>/live/<subject>/*.jpg         spoof: bona fide
    <presentations>/spoof/<species>/<subject>/   spoof: attacks; species as in ``AttackSpecies``

Presentations may be videos too, of which frames are taken. Folders may be nested deeper. Splits are made by
subject; a subject with live and spoof pictures keeps to one split.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path

from facegate.contracts import AttackSpecies
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.records import PICTURES, VIDEOS, Frames, Record, files_in, record
from facegate.sources.splits import split_subjects

NAME = "folder"
SPECIES = tuple(str(species) for species in AttackSpecies if species.is_attack)


def people(root: Path, split: SplitParams) -> list[Record]:
    """Records of a folder of one folder per person.

    Raises:
        SourceError: the folder is missing, holds no pictures in folders, or too few people.
    """
    found = [
        (folder.name, file) for folder in _folders(root, "data.folder.people") for file in files_in(folder)
    ]
    if not found:
        raise _no_pictures(root, "<person>/picture.jpg")
    splits = split_subjects((person for person, _ in found), split)
    return [record(file, str(file.relative_to(root)), person, splits[person], NAME) for person, file in found]


def presentations(root: Path, split: SplitParams, rate: float = 2.0) -> list[Record]:
    """Records of a folder of ``live/<subject>/`` and ``spoof/<species>/<subject>/``.

    Args:
        root: the folder.
        split: shares of subjects.
        rate: frames taken from each second of a video.

    Raises:
        SourceError: a folder is missing or misnamed, holds no pictures, or there are too few subjects.
    """
    found = [*_live(root), *_spoof(root)]
    splits = split_subjects((subject for _, subject, _ in found), split)
    records = [
        record(file, str(file.relative_to(root)), subject, splits[subject], NAME, species)
        for species, subject, file in found
    ]
    return [r._replace(frames=Frames(rate)) if r.file.suffix.lower() in VIDEOS else r for r in records]


def _live(root: Path) -> Iterator[tuple[AttackSpecies, str, Path]]:
    found = False
    for subject in _folders(root / "live", "data.folder.presentations"):
        for file in files_in(subject, PICTURES | VIDEOS):
            found = True
            yield AttackSpecies.BONA_FIDE, subject.name, file
    if not found:
        raise _no_pictures(root / "live", "<subject>/picture.jpg")


def _spoof(root: Path) -> Iterator[tuple[AttackSpecies, str, Path]]:
    found = False
    for folder in _folders(root / "spoof", "data.folder.presentations"):
        species = _species(folder)
        for subject in _folders(folder, "data.folder.presentations"):
            for file in files_in(subject, PICTURES | VIDEOS):
                found = True
                yield species, subject.name, file
    if not found:
        raise _no_pictures(root / "spoof", "<species>/<subject>/picture.jpg")


def _species(folder: Path) -> AttackSpecies:
    if folder.name in SPECIES:
        return AttackSpecies(folder.name)
    near = difflib.get_close_matches(folder.name, SPECIES, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "use `other` for anything else"
    raise SourceError(
        f"{folder}: `{folder.name}` is no attack species; {hint}", f"rename it to one of {', '.join(SPECIES)}"
    )


def _folders(root: Path, key: str) -> list[Path]:
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder", f"correct `{key}` in params.yaml, or create the folder")
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _no_pictures(root: Path, layout: str) -> SourceError:
    return SourceError(
        f"{root}: no picture found", f"lay it out as {layout}; read are {', '.join(sorted(PICTURES))}"
    )

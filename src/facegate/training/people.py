"""People as a folder of pictures each: found, aligned, and split in pictures to learn and pictures to measure on."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.contracts import AttackSpecies
from facegate.datasets.batches import Crops
from facegate.errors import PictureError, SourceError
from facegate.faces.align import align
from facegate.faces.detect import Detector
from facegate.faces.picture import load_picture
from facegate.sources.records import files_in


class People(NamedTuple):
    """A folder of people.

    Attributes:
        learned: aligned faces to train on.
        held_out: aligned faces of the same people that training does not see; at least one each.
        skipped: pictures without a usable face, relative to the folder.
        digest: SHA-256 over all faces.
    """

    learned: Crops
    held_out: Crops
    skipped: list[str]
    digest: str


def read_people(folder: Path, score: float, share: float) -> People:
    """Find the largest face of each picture in ``<folder>/<person>/``, and hold some of each person's back.

    Which ones depends on their names alone, so that further pictures move none from one side to the other unless the
    share asks for it.

    Args:
        folder: one folder per person, which may be nested deeper.
        score: least score of a detection.
        share: of each person's faces, held back.

    Raises:
        SourceError: the folder is missing, or holds fewer than two people, or one with fewer than two usable pictures.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder", "name a folder with one folder of pictures per person")
    persons = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(persons) < 2:
        raise SourceError(
            f"{folder}: {len(persons)} folders of people; at least two people are needed",
            "lay it out as <person>/picture.jpg, one folder per person",
        )
    detector, skipped = Detector(score=score), []
    learned: list[tuple[str, NDArray[np.uint8]]] = []
    held_out: list[tuple[str, NDArray[np.uint8]]] = []
    for person in tqdm(persons, desc="looking for faces", unit="person", leave=False):
        found = {file: largest_face(file, detector) for file in files_in(person)}
        missed = [file.relative_to(folder).as_posix() for file, face in found.items() if face is None]
        faces = [found[file] for file in sorted(found, key=_place) if found[file] is not None]
        if len(faces) < 2:
            raise SourceError(
                f"{person}: {len(faces)} pictures with a usable face"
                + (f", {len(missed)} without one ({', '.join(missed[:3])})" if missed else "")
                + "; at least one to learn and one to measure on are needed",
                "add pictures of this person, or take the folder away",
            )
        skipped += missed
        count = min(len(faces) - 1, max(1, round(share * len(faces))))
        held_out += [(person.name, face) for face in faces[:count] if face is not None]
        learned += [(person.name, face) for face in faces[count:] if face is not None]
    parts = _crops(learned), _crops(held_out)
    digest = hashlib.sha256(b"".join(part.images.tobytes() for part in parts)).hexdigest()
    return People(*parts, skipped, digest)


def largest_face(file: Path, detector: Detector) -> NDArray[np.uint8] | None:
    """The largest face of a picture, aligned: (112, 112, 3); None where there is none or the file is no picture."""
    try:
        picture = load_picture(file)
    except PictureError:
        return None
    faces = detector.detect(picture)
    return align(picture, faces[0].landmarks) if faces else None


def _crops(faces: list[tuple[str, NDArray[np.uint8]]]) -> Crops:
    names = np.array([name for name, _ in faces])
    species = np.full(len(faces), str(AttackSpecies.BONA_FIDE))
    return Crops(np.stack([face for _, face in faces]), names, species)


def _place(file: Path) -> str:
    return hashlib.sha256(f"{file.parent.name}/{file.name}".encode()).hexdigest()

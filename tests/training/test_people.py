"""A folder of people: faces found, split by picture, and what is wrong with it said by name."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.errors import SourceError
from facegate.training.people import read_people

SCORE = 0.6


def add(folder: Path, photo: Path, copies: int) -> None:
    """Copies that differ in brightness alone."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = cv2.imread(str(photo))
    assert picture is not None
    for number in range(copies):
        cv2.imwrite(
            str(folder / f"{number}.png"), np.clip(picture.astype(int) - 6 * number, 0, 255).astype(np.uint8)
        )


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    add(tmp_path / "obama", photos / "obama.jpg", 5)
    add(tmp_path / "biden", photos / "biden.jpg", 2)
    return tmp_path


def test_some_of_each_person_are_held_back(folder: Path):
    found = read_people(folder, SCORE, 0.4)
    assert found.learned.images.shape == (4, 112, 112, 3)
    assert sorted(found.learned.subjects) == ["biden", "obama", "obama", "obama"]
    assert sorted(found.held_out.subjects) == ["biden", "obama", "obama"]
    assert not found.skipped


def test_a_picture_without_a_face_is_passed_over_and_named(folder: Path):
    before = read_people(folder, SCORE, 0.4)
    cv2.imwrite(str(folder / "obama" / "wall.png"), np.full((160, 160, 3), 128, np.uint8))
    (folder / "obama" / "broken.jpg").write_bytes(b"no picture")
    found = read_people(folder, SCORE, 0.4)
    assert sorted(found.skipped) == ["obama/broken.jpg", "obama/wall.png"]
    assert found.digest == before.digest


def test_one_person_is_too_few(folder: Path):
    shutil.rmtree(folder / "biden")
    with pytest.raises(SourceError, match="1 folders of people; at least two"):
        read_people(folder, SCORE, 0.4)


def test_a_person_with_one_usable_picture_is_named(folder: Path):
    cv2.imwrite(str(folder / "biden" / "1.png"), np.full((160, 160, 3), 128, np.uint8))
    with pytest.raises(
        SourceError, match=r"biden: 1 pictures with a usable face, 1 without one \(biden/1\.png\)"
    ):
        read_people(folder, SCORE, 0.4)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match="no such folder"):
        read_people(tmp_path / "nobody", SCORE, 0.4)

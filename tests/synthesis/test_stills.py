import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.contracts import SAMPLE_COLUMNS
from facegate.faces.detect import Detector
from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.synthesis.stills import person_of, still

SEED, SIZE = 7, 128


@pytest.fixture(scope="module")
def head(head_file: Path) -> HeadAssets:
    return load_head_assets(head_file)


@pytest.fixture(scope="module")
def rows(head: HeadAssets) -> list[dict[str, Any]]:
    return [still(head, SEED, person, index, SIZE) for person in range(3) for index in range(4)]


def picture(row: dict[str, Any]) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def test_rows_fit_the_sample_columns(rows: list[dict[str, Any]]):
    required = {c.name for c in SAMPLE_COLUMNS if not c.nullable} - {"split"}
    for row in rows:
        assert required <= set(row) <= {c.name for c in SAMPLE_COLUMNS} - {"split"}
        assert picture(row).shape == (SIZE, SIZE, 3)
        assert isinstance(json.loads(row["attributes"]), dict)
        points = np.array(row["landmarks"]).reshape(5, 2)
        assert ((points > 0) & (points < SIZE)).all()
    assert len({row["sample_id"] for row in rows}) == len(rows)
    assert len({row["subject_id"] for row in rows}) == 3


def test_a_still_does_not_depend_on_what_was_made_before(head: HeadAssets, rows: list[dict[str, Any]]):
    person_of.cache_clear()
    assert still(head, SEED, 2, 3, SIZE) == rows[-1]
    person_of.cache_clear()
    assert still(head, SEED, 0, 1, SIZE) == rows[1]


def test_the_detector_finds_the_landmarks(rows: list[dict[str, Any]]):
    detector, found, errors = Detector(score=0.6), 0, []
    for row in rows:
        faces = detector.detect(picture(row))
        found += bool(faces)
        if faces:
            truth = np.array(row["landmarks"]).reshape(5, 2)
            apart = np.linalg.norm(faces[0].landmarks - truth, axis=1).mean()
            errors.append(apart / max(np.linalg.norm(truth[0] - truth[1]), SIZE / 10))
    assert found >= len(rows) - 1
    assert np.median(errors) < 0.18


def test_pictures_of_one_person_vary(rows: list[dict[str, Any]]):
    first = [picture(row).astype(float) for row in rows[:4]]
    assert min(np.abs(a - b).mean() for i, a in enumerate(first) for b in first[:i]) > 8
    assert len({round(row["yaw"], 3) for row in rows[:4]}) == 4
    assert len({row["ita"] for row in rows[:4]}) == 1

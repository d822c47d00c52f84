import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies
from facegate.faces.detect import Detector
from facegate.recapture.media import SCREENS
from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.synthesis.attacks import SHARED, SPECIES, attack, bona_fide
from facegate.synthesis.photographs import live_framing, photograph_of, wearer_of

SEED, PERSON, SIZE = 7, 3, 128
COLUMNS = {column.name: column for column in SAMPLE_COLUMNS}


def picture(row: Any) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


@pytest.fixture(scope="module")
def head(head_file: Path) -> HeadAssets:
    return load_head_assets(head_file)


@pytest.fixture(scope="module")
def rows(head: HeadAssets) -> dict[str, Any]:
    made = {species.value: attack(head, SEED, PERSON, species, 0, SIZE) for species in SPECIES}
    return made | {"bona_fide": bona_fide(head, SEED, PERSON, 0, SIZE)}


def test_rows_fit_the_sample_columns(rows: dict[str, Any]):
    required = {name for name, column in COLUMNS.items() if not column.nullable} - {"split"}
    for species, row in rows.items():
        assert required <= set(row) <= set(COLUMNS) - {"split"}, species
        assert row["species"] == species
        assert row["subject_id"] == "synthetic-7-00003"
        assert picture(row).shape == (SIZE, SIZE, 3)
        assert isinstance(json.loads(row["attributes"]), dict)
    assert len({row["sample_id"] for row in rows.values()}) == len(rows)


def test_detector_finds_every_face_at_its_landmarks(rows: dict[str, Any]):
    detector = Detector(score=0.6)
    for species, row in rows.items():
        faces = detector.detect(picture(row))
        assert faces, species
        truth = np.array(row["landmarks"]).reshape(5, 2)
        eyes = np.linalg.norm(truth[0] - truth[1])
        assert np.linalg.norm(faces[0].landmarks - truth, axis=1).mean() < 0.35 * eyes, species


@pytest.mark.parametrize(
    "species", [AttackSpecies.PRINT_CUT, AttackSpecies.REPLAY_PHONE, AttackSpecies.MASK_RIGID]
)
def test_an_attack_depends_on_nothing_but_its_arguments(head: HeadAssets, rows: dict[str, Any], species):
    attack(head, SEED, PERSON, AttackSpecies.PRINT, 5, 64)
    photograph_of.cache_clear()
    wearer_of.cache_clear()
    assert attack(head, SEED, PERSON, species, 0, SIZE) == rows[species.value]


def test_attacks_differ(head: HeadAssets, rows: dict[str, Any]):
    again = attack(head, SEED, PERSON, AttackSpecies.PRINT, 1, SIZE)
    assert again["image"] != rows["print"]["image"]
    assert again["sample_id"] != rows["print"]["sample_id"]


def test_the_variant_of_the_simulation_is_kept(rows: dict[str, Any]):
    for species in SCREENS:
        assert json.loads(rows[species.value]["attributes"])["variant"].startswith("display/")
    assert json.loads(rows["mask_rigid"]["attributes"])["variant"].startswith("mask/")
    assert json.loads(rows["print"]["attributes"])["variant"].split("/")[0] in ("laser", "inkjet", "photo")


def test_a_photograph_is_shared_by_all_species(head: HeadAssets):
    shown = []
    for species in (AttackSpecies.PRINT, AttackSpecies.REPLAY_MONITOR):
        for index in (0, SHARED - 1, SHARED):
            row: dict[str, Any] = attack(head, SEED, PERSON, species, index, 64)
            shown.append(json.loads(row["attributes"])["photograph"])
    assert shown == [0, 0, 1, 0, 0, 1]


def test_a_photographed_face_lands_where_a_live_one_would(head: HeadAssets):
    """Over many draws, size and place are those of live poses: middle of the face at the middle, σ = .03."""
    photograph = photograph_of(head, SEED, PERSON, 0)
    drawn = np.array([live_framing(np.random.default_rng(k), photograph)[:3] for k in range(400)])
    assert drawn[:, 0].std() == pytest.approx(0.03, rel=0.25)
    enlarged = drawn[:, 2] / np.linalg.norm(photograph.units[:2].mean(0) - photograph.units[3:].mean(0))
    scale = enlarged * photograph.shot.pose.scale
    assert 0.6 < scale.min() < 0.65
    assert 0.78 < scale.max() < 0.84


def test_what_cannot_be_rendered_is_refused(head: HeadAssets):
    with pytest.raises(ValueError, match="makeup cannot be rendered"):
        attack(head, SEED, PERSON, AttackSpecies.MAKEUP, 0, 64)

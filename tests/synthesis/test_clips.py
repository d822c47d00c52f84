from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies
from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.synthesis.clips import SPECIES, clip

SEED, PERSON, SIZE, FRAMES = 7, 3, 72, 4
PLANES = (AttackSpecies.PRINT, AttackSpecies.PRINT_CUT)
SOLIDS = (AttackSpecies.BONA_FIDE, AttackSpecies.MASK_RIGID)


@pytest.fixture(scope="module")
def head(head_file: Path) -> HeadAssets:
    return load_head_assets(head_file)


@pytest.fixture(scope="module")
def clips(head: HeadAssets) -> dict[AttackSpecies, list[Any]]:
    return {species: clip(head, SEED, PERSON, species, 0, SIZE, FRAMES) for species in SPECIES}


def landmarks(rows: list[Any]) -> NDArray[np.float64]:
    return np.array([row["landmarks"] for row in rows]).reshape(-1, 5, 2)


def test_rows_are_frames_in_order(clips: dict[AttackSpecies, list[Any]]):
    names = {column.name for column in SAMPLE_COLUMNS} - {"split"}
    for species, rows in clips.items():
        assert len(rows) == FRAMES
        assert [row["frame"] for row in rows] == list(range(FRAMES))
        assert [row["time_s"] for row in rows] == pytest.approx(np.arange(FRAMES) / 15)
        assert len({row["clip_id"] for row in rows}) == 1
        assert len({row["sample_id"] for row in rows}) == FRAMES
        assert {row["species"] for row in rows} == {species.value}
        assert set(rows[0]) <= names


def test_every_frame_is_another_picture(clips: dict[AttackSpecies, list[Any]]):
    for rows in clips.values():
        assert len({row["image"] for row in rows}) == FRAMES


def test_the_same_clip_again(head: HeadAssets, clips: dict[AttackSpecies, list[Any]]):
    for species in (AttackSpecies.PRINT_CUT, AttackSpecies.REPLAY_TABLET):
        assert clip(head, SEED, PERSON, species, 0, SIZE, FRAMES) == clips[species]


def test_a_print_moves_as_a_plane(clips: dict[AttackSpecies, list[Any]]):
    """Its landmarks obey a homography from frame to frame; with four points fitted, the fifth agrees."""
    for species in PLANES:
        points = landmarks(clips[species]).astype(np.float32)
        assert np.ptp(points, axis=0).max() > 0.5
        for frame in points[1:]:
            matrix = cv2.getPerspectiveTransform(points[0, [0, 1, 3, 4]], frame[[0, 1, 3, 4]])
            nose = cv2.perspectiveTransform(points[:1, 2:3], matrix)[0, 0]
            assert np.linalg.norm(nose - frame[2]) < 0.35


def test_eyes_of_a_plain_print_do_not_blink(head: HeadAssets, clips: dict[AttackSpecies, list[Any]]):
    assert np.ptp([row["blink"] for row in clips[AttackSpecies.PRINT]]) == 0
    closures = [
        row["blink"] for k in range(3) for row in clip(head, SEED, PERSON, AttackSpecies.PRINT_CUT, k, 48, 8)
    ]
    assert {0.0} < set(closures)


def test_heads_turn_in_space_and_a_replay_shows_it(clips: dict[AttackSpecies, list[Any]]):
    for species in (*SOLIDS, AttackSpecies.REPLAY_MONITOR):
        assert np.ptp([row["yaw"] for row in clips[species]]) > 0.3


def test_what_cannot_be_rendered_is_refused(head: HeadAssets):
    with pytest.raises(ValueError, match="partial cannot be rendered"):
        clip(head, SEED, PERSON, AttackSpecies.PARTIAL, 0, 64)

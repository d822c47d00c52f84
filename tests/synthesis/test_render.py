"""Pictures of people; on the real head alone, because a face of a few polygons proves little."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegate.synthesis.assets import load_head_assets
from facegate.synthesis.identity import Identity, make_identity
from facegate.synthesis.render import Pose, Rendered, Shot, render, sample_shot
from facegate.synthesis.wear import Hat, sample_glasses, sample_mask

SIZE = 96
RED = (0.6, 0.05, 0.05)
HATS = (Hat("beanie", 0.05, 0.01, RED), Hat("cap", 0.05, 0.01, RED, 0.06))
RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)


@pytest.fixture(scope="module")
def person(head_file: Path) -> Identity:
    return make_identity(load_head_assets(head_file), 7, 1)


@pytest.fixture(scope="module")
def plain(person: Identity) -> Shot:
    drawn = sample_shot(np.random.default_rng(3), person)
    frontal = Pose(yaw=0, pitch=0, roll=0, distance=0.9, scale=0.75)
    return replace(
        drawn, pose=frontal, blink=0.0, expression={}, glasses=None, hat=None, look=person.looks[0]
    )


@pytest.fixture(scope="module")
def frontal(person: Identity, plain: Shot) -> Rendered:
    return render(person, plain, SIZE)


def around(rendered: Rendered, landmark: int, reach: int = 7) -> np.ndarray:
    """Window of the scene around a landmark, scene pixels."""
    scale = rendered.scene.shape[0] / SIZE
    x, y = np.round(rendered.landmarks[landmark] * scale).astype(int)
    return rendered.scene[y - reach : y + reach, x - reach : x + reach]


def turned(person: Identity, shot: Shot, **pose: float) -> np.ndarray:
    return render(person, replace(shot, pose=replace(shot.pose, **pose)), SIZE).landmarks


def test_what_comes_out(frontal: Rendered):
    assert frontal.scene.shape == (3 * SIZE // 2, 3 * SIZE // 2, 3)
    assert frontal.scene.dtype == frontal.landmarks.dtype == np.float32
    assert np.isfinite(frontal.scene).all()
    assert frontal.scene.min() >= 0
    assert frontal.alpha.min() == 0
    assert frontal.alpha.max() == 1
    assert 0.2 < frontal.alpha.mean() < 0.9


def test_landmarks_make_a_face(frontal: Rendered):
    points = frontal.landmarks
    assert ((points > 0) & (points < SIZE)).all()
    assert points[RIGHT_EYE, 0] < points[NOSE, 0] < points[LEFT_EYE, 0]
    assert points[RIGHT_MOUTH, 0] < points[NOSE, 0] < points[LEFT_MOUTH, 0]
    assert points[RIGHT_EYE, 1] < points[NOSE, 1] < points[LEFT_MOUTH, 1]


def test_landmarks_follow_the_pose(person: Identity, plain: Shot, frontal: Rendered):
    def nose_from_eyes(points: np.ndarray) -> np.ndarray:
        return points[NOSE] - points[:2].mean(0)

    straight = nose_from_eyes(frontal.landmarks)
    assert nose_from_eyes(turned(person, plain, yaw=25))[0] > straight[0] + 2  # the person's left
    assert nose_from_eyes(turned(person, plain, pitch=15))[1] < straight[1] - 2
    rolled = turned(person, plain, roll=20)
    slope = np.degrees(np.arctan2(*(rolled[LEFT_EYE] - rolled[RIGHT_EYE])[::-1]))
    assert slope == pytest.approx(20, abs=3)
    moved = turned(person, plain, shift_x=0.1, shift_y=-0.05) - frontal.landmarks
    np.testing.assert_allclose(moved, np.tile([0.1 * SIZE, -0.05 * SIZE], (5, 1)), atol=0.05)
    grown = turned(person, plain, scale=0.9)
    assert np.ptp(grown[:, 0]) == pytest.approx(np.ptp(frontal.landmarks[:, 0]) * 0.9 / 0.75, rel=0.02)


def test_landmarks_do_not_depend_on_supersampling(person: Identity, plain: Shot, frontal: Rendered):
    np.testing.assert_allclose(render(person, plain, SIZE, 1).landmarks, frontal.landmarks, atol=1e-3)


def test_the_same_shot_is_the_same_to_the_bit(person: Identity, plain: Shot, frontal: Rendered):
    render(person, replace(plain, blink=1.0), SIZE)
    again = render(person, plain, SIZE)
    assert again.scene.tobytes() == frontal.scene.tobytes()


def test_blink_closes_the_eyes_and_leaves_the_mouth(person: Identity, plain: Shot, frontal: Rendered):
    shut = render(person, replace(plain, blink=1.0), SIZE)
    for eye in (RIGHT_EYE, LEFT_EYE):
        before, after = around(frontal, eye), around(shut, eye)
        assert np.abs(after - before).mean() > 0.08 * before.mean()
        assert after.mean(-1).std() < before.mean(-1).std()  # no more white against pupil
    mouth = np.abs(around(shut, RIGHT_MOUTH) - around(frontal, RIGHT_MOUTH)).mean()
    assert mouth < 1e-4
    np.testing.assert_allclose(shut.landmarks, frontal.landmarks, atol=1e-3)


def test_rigid_faces_neither_blink_nor_smile(person: Identity, plain: Shot, frontal: Rendered):
    smiling = replace(plain, blink=1.0, expression={"mouthSmileLeft": 0.8, "jawOpen": 0.4})
    assert render(person, smiling, SIZE, rigid=True).scene.tobytes() == frontal.scene.tobytes()
    assert (
        np.abs(around(render(person, smiling, SIZE), LEFT_MOUTH) - around(frontal, LEFT_MOUTH)).mean() > 0.005
    )


def test_an_open_jaw_lowers_nothing_but_the_mouth(person: Identity, plain: Shot, frontal: Rendered):
    talking = render(person, replace(plain, expression={"jawOpen": 0.6}), SIZE).landmarks
    np.testing.assert_allclose(talking[:3], frontal.landmarks[:3], atol=0.3)
    assert (talking[3:, 1] > frontal.landmarks[3:, 1]).all()


def test_glasses_show_around_the_eyes(person: Identity, plain: Shot, frontal: Rendered):
    worn = render(person, replace(plain, glasses=sample_glasses(np.random.default_rng(2))), SIZE)
    assert np.abs(around(worn, LEFT_EYE, 16) - around(frontal, LEFT_EYE, 16)).mean() > 0.003
    assert np.abs(around(worn, LEFT_MOUTH) - around(frontal, LEFT_MOUTH)).mean() < 1e-3


@pytest.mark.parametrize("hat", HATS)
def test_hats_cover_the_crown_in_their_colour(hat: Hat, person: Identity, plain: Shot, frontal: Rendered):
    worn = render(person, replace(plain, hat=hat), SIZE)
    x = round(2 * float(frontal.landmarks[:2, 0].mean()))
    y = round(2 * float(frontal.landmarks[0, 1] - 0.95 * np.ptp(frontal.landmarks[:2, 0])))
    patch = worn.scene[max(y - 4, 0) : y + 4, x - 8 : x + 8].mean((0, 1))
    assert patch[0] > 2 * patch[1]
    np.testing.assert_allclose(worn.landmarks, frontal.landmarks)


def test_a_mask_is_rigid_but_for_the_wearers_eyes(person: Identity, plain: Shot, frontal: Rendered):
    mask = sample_mask(np.random.default_rng(4), np.array([0.1, 0.05, 0.03], np.float32))
    masked = replace(plain, mask=mask)
    worn = render(person, masked, SIZE)
    assert np.abs(worn.scene - frontal.scene).mean() > 0.003
    smiling = render(person, replace(masked, expression={"mouthSmileLeft": 1.0}), SIZE)
    assert smiling.scene.tobytes() == worn.scene.tobytes()
    blinking = render(person, replace(masked, blink=1.0), SIZE)
    assert np.abs(around(blinking, LEFT_EYE) - around(worn, LEFT_EYE)).mean() > 0.002

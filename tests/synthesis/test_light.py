import numpy as np
import pytest

from facegate.synthesis.background import SIZE, sample_background
from facegate.synthesis.geometry import harmonics, rotation, sphere_points
from facegate.synthesis.light import KINDS, SKY, Light, sample_light
from facegate.synthesis.occlusion import skin_depths, transfer


def even(level: float) -> Light:
    none = np.zeros(3, np.float32)
    up = np.array([0, 1, 0], np.float32)
    return Light("soft", up, none, 2.0, up, none, np.full((len(SKY), 3), level, np.float32))


def test_an_even_sky_lights_every_direction_alike():
    normals = sphere_points(50)
    open_sky = harmonics(normals) * np.array([1, *[2 / 3] * 3, *[1 / 4] * 5])
    for head in (np.eye(3, dtype=np.float32), rotation(0.6, 0.2, 0.1)):
        np.testing.assert_allclose(open_sky @ even(0.7).coefficients(head), 0.7, atol=0.02)


def test_a_turned_head_sees_the_turned_sky():
    light = sample_light(np.random.default_rng(1))
    head = rotation(0.7, -0.2, 0.3)
    normals = sphere_points(40)
    fixed = harmonics(normals @ head.T) @ light.coefficients(np.eye(3, dtype=np.float32))
    turned = harmonics(normals) @ light.coefficients(head)
    np.testing.assert_allclose(turned, fixed, atol=0.12 * np.abs(fixed).max())


def test_lights_are_of_all_kinds_and_physical():
    lights = [sample_light(np.random.default_rng(seed)) for seed in range(120)]
    assert {light.kind for light in lights} == set(KINDS)
    for light in lights:
        assert np.linalg.norm(light.towards) == pytest.approx(1, abs=1e-5)
        assert min(light.colour.min(), light.fill_colour.min(), light.sky.min()) >= 0
        assert light.level.min() > 0


def test_an_open_ball_gets_the_cosine_lobe_and_a_roof_takes_the_light_from_above():
    ball = sphere_points(600)
    points = (ball * 0.03).astype(np.float32)
    roof = np.array([[-0.2, 0.06, -0.2], [0.2, 0.06, -0.2], [0.2, 0.06, 0.2], [-0.2, 0.06, 0.2]], np.float32)
    vertices = np.concatenate([points, roof])
    normals = np.concatenate([ball, np.tile([[0, -1, 0]], (4, 1))]).astype(np.float32)
    nobody, nothing = np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
    open_ = transfer(vertices, normals, skin_depths(vertices, nobody), nothing)[:600]
    np.testing.assert_allclose(open_[:, 0], 0.2821, atol=0.03)
    np.testing.assert_allclose(open_[:, 1], 2 / 3 * 0.4886 * ball[:, 1], atol=0.04)
    triangles = np.array([[600, 601, 602], [600, 602, 603]], np.int32)
    covered = transfer(vertices, normals, skin_depths(vertices, triangles), nothing)[:600]
    top, bottom = ball[:, 1] > 0.8, ball[:, 1] < -0.8
    assert covered[top, 0].mean() < 0.5 * open_[top, 0].mean()
    assert covered[bottom, 0].mean() == pytest.approx(open_[bottom, 0].mean(), rel=0.1)


def test_backgrounds_are_finite_varied_and_repeatable():
    light = sample_light(np.random.default_rng(0))
    made = [sample_background(light, np.random.default_rng(seed)) for seed in range(60)]
    for picture in made:
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() > 0
    assert np.std([picture.mean() for picture in made]) > 0.02
    assert sample_background(light, np.random.default_rng(9)).tobytes() == made[9].tobytes()

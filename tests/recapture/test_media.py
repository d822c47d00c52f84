import numpy as np
import pytest

from facegate.contracts import AttackSpecies
from facegate.recapture.framing import Framing
from facegate.recapture.geometry import Placement, project, to_pixels, to_units
from facegate.recapture.imaging import to_linear
from facegate.recapture.media import PAPER, SCREENS, Wearer, recapture, sample_medium, show
from tests.recapture.known_scenes import portrait

SPECIES = PAPER + SCREENS


@pytest.mark.parametrize("species", SPECIES)
def test_same_seed_same_attack(species):
    photo, points = portrait()
    first = recapture(photo, points, species, np.random.default_rng(9), 64)
    second = recapture(photo, points, species, np.random.default_rng(9), 64)
    np.testing.assert_array_equal(first.image, second.image)
    assert first.variant == second.variant
    assert first.image.shape == (64, 64, 3)


@pytest.mark.parametrize("species", SPECIES)
def test_landmarks_land_where_the_framing_wants_them(species):
    photo, points = portrait()
    framing = Framing(0.52, 0.47, 0.3, 0.05)
    found = recapture(photo, points, species, np.random.default_rng(2), 100, framing=framing).landmarks
    assert found is not None
    centre = 0.5 * (found[:2].mean(0) + found[3:].mean(0))
    np.testing.assert_allclose(centre, (51.5, 46.5), atol=1.0)
    assert found[3:].mean(0)[1] - found[:2].mean(0)[1] == pytest.approx(30, abs=4)


@pytest.mark.parametrize("species", [AttackSpecies.PRINT, AttackSpecies.REPLAY_MONITOR])
def test_landmarks_follow_the_picture(species):
    """A white dot painted on a black photograph is found where the landmark says it is."""
    for seed in range(6):
        photo, points = portrait(256)
        photo[:] = 0
        x, y = np.round(points[2]).astype(int)
        photo[y - 4 : y + 5, x - 4 : x + 5] = 255
        rng = np.random.default_rng(seed)
        medium = sample_medium(rng, species, to_units(points, 256), 1.0)
        scene, _ = show(to_linear(photo), medium, 128, to_units(points, 256))
        expected = to_pixels(project(to_units(np.array([[x, y]]), 256), medium.placement), 256)[0]
        window = scene.sum(axis=2)
        around = window[
            int(expected[1]) - 24 : int(expected[1]) + 25, int(expected[0]) - 24 : int(expected[0]) + 25
        ]
        weight = np.clip(around - np.quantile(around, 0.6), 0, None)
        at = np.array(np.meshgrid(*(np.arange(49) - 24.0,) * 2))
        offset = (at * weight).sum(axis=(1, 2)) / weight.sum()
        np.testing.assert_allclose(offset, 0, atol=1.6)


def test_edges_come_into_view_in_some_pictures_only():
    photo, points = portrait(64)
    frontal = Framing(0.5, 0.5, 0.3)
    shown = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        result = recapture(photo, points, SPECIES[seed % 5], rng, 32, framing=frontal)
        shown.append(result.border_visible)
    assert 0.28 < np.mean(shown) < 0.55


def test_any_picture_will_do():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (90, 140, 3), np.uint8)
    result = recapture(photo, None, AttackSpecies.REPLAY_TABLET, rng, 48)
    assert result.landmarks is None
    assert result.image.shape == (48, 48, 3)


def test_cut_eyes_show_the_wearer():
    photo, points = portrait()
    red = np.zeros_like(photo)
    red[..., 0] = 230
    units = to_units(points, photo.shape[1])
    medium = sample_medium(np.random.default_rng(1), AttackSpecies.PRINT_CUT, units, 1.0)
    scene, _ = show(to_linear(photo), medium, 96, units, Wearer(red, points))
    x, y = to_pixels(project(units[:1], medium.placement), 192)[0].round().astype(int)
    eye, cheek = scene[y, x], scene[y + 30, x]
    assert eye[0] / eye.sum() > cheek[0] / cheek.sum() + 0.05


def test_unusable_requests_are_refused():
    photo, points = portrait()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="landmarks"):
        recapture(photo, None, AttackSpecies.PRINT_CUT, rng, 48)
    with pytest.raises(ValueError, match="flat"):
        recapture(photo, points, AttackSpecies.MASK_RIGID, rng, 48)


def test_a_background_shows_beside_the_medium():
    photo, points = portrait()
    green = np.zeros((8, 8, 3), np.float32)
    green[..., 1] = 1
    units = to_units(points, 128)
    for seed in range(20):
        medium = sample_medium(np.random.default_rng(seed), AttackSpecies.PRINT, units, 1.0, background=green)
        away = Placement(medium.placement.anchor, (0.9, 0.9), medium.placement.scale * 0.3)
        scene, border = show(
            to_linear(photo), type(medium)(**{**vars(medium), "placement": away, "fingers": ()}), 32
        )
        assert border
        np.testing.assert_allclose(scene[2, 2], (0, 1, 0), atol=0.01)

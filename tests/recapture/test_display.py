from dataclasses import replace

import numpy as np
import pytest

from facegate.contracts import AttackSpecies
from facegate.recapture.display import LAYOUTS, Display, display_radiance, sample_display, sub_pixel_tile
from facegate.recapture.geometry import Placement, cast_rays
from facegate.recapture.room import Light

NEUTRAL = Light((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0))
PLAIN = Display(
    layout="rgb",
    pitch=32.0,
    fill=0.95,
    brightness=1.0,
    white=(1.0, 1.0, 1.0),
    gamma=1.0,
    black=0.0,
    haze=0.0,
    glare=(0.0, 0.5, 0.5, 0.1, 0.1),
    falloff=(0.0, 0.0),
    refresh=(0.0, 1.0, 0.0),
    bezel=0.1,
    bezel_tone=0.02,
)
FRONTAL = Placement((0.5, 0.5), (0.5, 0.5), 1.0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("footprint", [0.0, 0.4, 1.0, 2.5])
def test_a_tile_keeps_the_light_of_each_channel(layout, footprint):
    tile = sub_pixel_tile(layout, 0.85, footprint)
    np.testing.assert_allclose(tile.mean(axis=(0, 1)), 1, rtol=1e-5)


def test_sub_pixels_fade_when_a_sensor_cell_sees_many():
    contrast = [sub_pixel_tile("rgb", 0.9, footprint).std() for footprint in (0.0, 0.5, 1.5, 4.2)]
    assert contrast[0] > contrast[1] > contrast[2] > contrast[3]
    assert contrast[3] < 0.3


def test_layouts_order_their_colours():
    """Red comes left of blue in RGB, right of it in BGR, and above it where stripes lie."""
    half = sub_pixel_tile("rgb", 0.9, 0.0).shape[0] // 2

    def centre(layout, channel, axis):
        profile = sub_pixel_tile(layout, 0.9, 0.0)[:half, :half, channel].sum(axis=1 - axis)
        return float((profile * np.arange(half)).sum() / profile.sum())

    assert centre("rgb", 0, 1) < centre("rgb", 1, 1) < centre("rgb", 2, 1)
    assert centre("bgr", 0, 1) > centre("bgr", 2, 1)
    assert centre("rgb_rows", 0, 0) < centre("rgb_rows", 2, 0)


def test_pentile_has_two_greens_for_each_red():
    tile = sub_pixel_tile("pentile", 0.9, 0.0)
    lit = (tile > 0.5).mean(axis=(0, 1))
    assert lit[1] < lit[0]
    green = tile[..., 1] > 0.5
    np.testing.assert_array_equal(green[:16, :16], green[16:, 16:])
    red = tile[..., 0] > 0.5
    assert (red[:16, :16] != red[:16, 16:]).any()


def test_mean_brightness_survives_the_sub_pixels():
    photo = np.full((32, 32, 3), 0.4, np.float32)
    light = display_radiance(photo, PLAIN, cast_rays(FRONTAL, 128, 128), NEUTRAL)
    np.testing.assert_allclose(light.mean(axis=(0, 1)), 0.4, rtol=0.02)
    assert light.std() > 0.05


def test_black_level_haze_and_glare_add_light():
    photo = np.zeros((32, 32, 3), np.float32)
    rays = cast_rays(FRONTAL, 64, 64)
    assert display_radiance(photo, PLAIN, rays, NEUTRAL).max() == 0
    lit = replace(PLAIN, black=0.02, haze=0.01, glare=(0.5, 0.25, 0.25, 0.1, 0.1))
    light = display_radiance(photo, lit, rays, NEUTRAL)
    assert light.min() >= 0.0099
    assert light[16, 16].mean() > 0.4
    assert light[60, 60].mean() < 0.1


def test_refresh_draws_bands_along_the_rows():
    photo = np.full((8, 8, 3), 0.5, np.float32)
    light = display_radiance(
        photo, replace(PLAIN, refresh=(0.3, 2.0, 0.0)), cast_rays(FRONTAL, 64, 64), NEUTRAL
    )
    rows = light.mean(axis=(1, 2))
    assert abs(np.fft.rfft(rows - rows.mean())).argmax() == 2


def test_phones_are_finer_than_monitors():
    rng = np.random.default_rng(0)

    def pitches(species):
        return [sample_display(rng, species, 0.2).pitch for _ in range(60)]

    assert np.median(pitches(AttackSpecies.REPLAY_PHONE)) > 0.8 * np.median(
        pitches(AttackSpecies.REPLAY_MONITOR)
    )
    variants = {sample_display(rng, AttackSpecies.REPLAY_MONITOR, 0.2).variant for _ in range(60)}
    assert "display/pentile" not in variants

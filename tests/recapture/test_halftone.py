from dataclasses import replace

import numpy as np
import pytest

from facegate.recapture.halftone import SCREENS, Halftone, apply_halftone, resolved, threshold_tile

DOTS = [screen for screen in SCREENS if screen != "contone"]
BASE = Halftone("clustered", pitch=20.0, strength=1.0, sharpness=6.0, angle=0.0, seed=3)


def grid(size: int = 200) -> tuple[np.ndarray, np.ndarray, float]:
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    return (
        np.broadcast_to(axis, (size, size)).copy(),
        np.broadcast_to(axis[:, None], (size, size)).copy(),
        1 / size,
    )


@pytest.mark.parametrize("screen", DOTS)
def test_thresholds_are_evenly_spread(screen):
    tile = np.sort(threshold_tile(screen, 3).ravel())
    np.testing.assert_allclose(tile, (np.arange(tile.size) + 0.5) / tile.size, atol=1e-6)


def test_the_ordered_tile_is_bayers():
    """The 2 × 2 matrix 0 2 / 3 1 sits in the corners of the 8 × 8 one, coarsest order first."""
    ranks = (threshold_tile("ordered") * 64 - 0.5).round().astype(int)
    assert ranks[0, :4].tolist() == [0, 32, 8, 40]
    assert ranks[1, :4].tolist() == [48, 16, 56, 24]


@pytest.mark.parametrize("screen", DOTS)
@pytest.mark.parametrize("tone", [0.25, 0.5, 0.8])
def test_dots_keep_the_mean_tone(screen, tone):
    u, v, step = grid()
    pitch = 20.0 if screen in ("clustered", "line") else 90.0
    flat = np.full((*u.shape, 3), tone, np.float32)
    printed = apply_halftone(flat, u, v, step, replace(BASE, screen=screen, pitch=pitch))
    assert printed.mean() == pytest.approx(tone, abs=0.03)
    assert printed.std() > 0.1


def test_dots_finer_than_the_sensor_fade():
    fine = replace(BASE, pitch=199.0)
    assert resolved(fine, 1 / 200) < 0.01
    u, v, step = grid()
    flat = np.full((*u.shape, 3), 0.5, np.float32)
    np.testing.assert_array_equal(apply_halftone(flat, u, v, step, fine), flat)


def test_contone_and_bare_paper_stay_as_they_are():
    u, v, step = grid()
    flat = np.full((*u.shape, 3), 0.5, np.float32)
    assert apply_halftone(flat, u, v, step, replace(BASE, screen="contone")) is flat
    white = apply_halftone(np.ones_like(flat), u, v, step, BASE)
    assert white.min() > 0.95


def test_the_stochastic_tile_has_little_low_frequency():
    """Blue noise: the lowest frequencies carry far less power than white noise would."""
    spectrum = np.abs(np.fft.fft2(threshold_tile("stochastic", 1) - 0.5)) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    assert spectrum[(radius < 0.06) & (radius > 0)].mean() < 0.3 * spectrum[radius > 0.2].mean()

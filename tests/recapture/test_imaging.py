import numpy as np
import pytest

from facegate.recapture import imaging


def test_srgb_matches_the_standard_at_known_values():
    """Values of IEC 61966-2-1: code 128 is 0.2158605 in linear light, code 10 lies on the linear piece."""
    picture = np.array([[[0, 10, 128], [188, 254, 255]]], np.uint8)
    linear = imaging.to_linear(picture)
    assert linear[0, 0, 2] == pytest.approx(0.2158605, abs=1e-6)
    assert linear[0, 0, 1] == pytest.approx(10 / 255 / 12.92, abs=1e-7)
    assert linear[0, 1, 0] == pytest.approx(0.5028865, abs=1e-6)


def test_srgb_is_undone():
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    np.testing.assert_allclose(imaging.to_srgb(imaging.to_linear(codes)) * 255, codes, atol=0.01)


def test_tint_and_spread_equal_plain_broadcasting():
    rng = np.random.default_rng(0)
    image, plane = rng.random((7, 9, 3), np.float32), rng.random((7, 9), np.float32)
    np.testing.assert_allclose(imaging.tint(image, (0.2, 1.0, 3.0)), image * (0.2, 1.0, 3.0), rtol=1e-6)
    np.testing.assert_array_equal(imaging.spread(plane), np.repeat(plane[..., None], 3, 2))
    mixed = imaging.mix(image, 1 - image, plane)
    np.testing.assert_allclose(mixed, image + plane[..., None] * (1 - 2 * image), rtol=1e-5)


def test_resize_keeps_the_mean_when_shrinking():
    image = np.random.default_rng(1).random((64, 64, 3), np.float32)
    np.testing.assert_allclose(imaging.resize(image, 16, 16).mean(), image.mean(), rtol=1e-5)


def test_resize_to_the_same_size_changes_nothing():
    image = np.random.default_rng(1).random((8, 8, 3), np.float32)
    np.testing.assert_array_equal(imaging.resize(image, 8, 8), image)


def test_jpeg_keeps_channel_order():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert imaging.jpeg(red, 95)[8, 8].tolist() == pytest.approx([200, 0, 0], abs=4)

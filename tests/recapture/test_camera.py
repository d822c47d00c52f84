from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.recapture.camera import Camera, capture, sample_camera, sample_portrait_camera
from facegate.recapture.imaging import to_linear
from tests.recapture.known_scenes import gradient

IDEAL = Camera(
    name="ideal",
    blur=0.2,
    motion=0.0,
    motion_angle=0.0,
    veil=0.0,
    vignette=0.0,
    exposure=0.2,
    shot_noise=0.0,
    read_noise=0.0,
    white_balance=0.0,
    cast=(1.0, 1.0, 1.0),
    shoulder=0.0,
    contrast=0.2,
    saturation=0.2,
    auto=0.0,
    sharpen=0.0,
    stream=1.0,
    edge_aware=False,
    jpeg=(100,),
    chroma_full=True,
)


def test_same_seed_same_picture():
    camera = sample_camera(np.random.default_rng(3))
    first = capture(gradient(), camera, np.random.default_rng(4), 48)
    second = capture(gradient(), camera, np.random.default_rng(4), 48)
    np.testing.assert_array_equal(first, second)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_camera_of_the_population_takes_a_picture(seed: int):
    rng = np.random.default_rng(seed)
    picture = capture(gradient(), sample_camera(rng), rng, 48)
    assert picture.shape == (48, 48, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 5


@pytest.mark.parametrize("scene", [np.zeros((32, 32, 3), np.float32), np.full((32, 32, 3), 1e4, np.float32)])
def test_darkness_and_glare_are_pictures_too(scene: np.ndarray):
    rng = np.random.default_rng(0)
    picture = capture(scene, sample_camera(rng), rng, 16)
    assert picture.shape == (16, 16, 3)


def test_size_may_be_height_and_width():
    picture = capture(gradient(), IDEAL, np.random.default_rng(0), (30, 50))
    assert picture.shape == (30, 50, 3)


def test_exposure_does_not_depend_on_the_level_of_light():
    dim = capture(gradient() * 0.01, IDEAL, np.random.default_rng(0), 48)
    bright = capture(gradient() * 7, IDEAL, np.random.default_rng(0), 48)
    assert np.abs(dim.astype(int) - bright).max() <= 2


def test_an_ideal_camera_reproduces_a_smooth_scene():
    scene = gradient(96)
    picture = to_linear(capture(scene, IDEAL, np.random.default_rng(0), 48))
    expected = cv2.resize(scene, (48, 48), interpolation=cv2.INTER_AREA)
    gain = picture[4:-4, 4:-4].mean() / expected[4:-4, 4:-4].mean()
    np.testing.assert_allclose(picture[4:-4, 4:-4], expected[4:-4, 4:-4] * gain, atol=0.012)


def test_noise_has_the_stated_deviation_in_the_raw_picture():
    """Four cells of each colour at most are averaged; green noise falls to about half of a cell's."""
    camera = replace(IDEAL, read_noise=0.01, blur=0.05)
    flat = np.full((192, 192, 3), 0.2, np.float32)
    picture = to_linear(capture(flat, camera, np.random.default_rng(0), 96))
    assert 0.004 < picture[..., 1].std() < 0.02
    assert picture.mean() == pytest.approx(0.2, abs=0.01)


def test_fine_stripes_alias_into_coarse_colour():
    """Stripes of one cell are red where the mosaic is red: a real sensor's colour moiré."""
    scene = np.full((96, 96, 3), 0.1, np.float32)
    scene[:, 0::2] = 0.9
    picture = capture(scene, replace(IDEAL, blur=0.1), np.random.default_rng(0), 48).astype(int)
    assert picture[8:-8, 8:-8, 0].mean() - picture[8:-8, 8:-8, 2].mean() > 60


def test_automatic_contrast_and_saturation_pull_towards_their_aims():
    scene = gradient()
    spread = [
        capture(scene, replace(IDEAL, auto=1.0, contrast=aim), np.random.default_rng(0), 48).std()
        for aim in (0.1, 0.2)
    ]
    chroma = [
        np.ptp(
            capture(scene, replace(IDEAL, auto=1.0, saturation=aim), np.random.default_rng(0), 48), axis=2
        ).mean()
        for aim in (0.08, 0.25)
    ]
    assert spread[0] < spread[1]
    assert chroma[0] < 0.6 * chroma[1]


def test_stream_and_blur_take_detail_away():
    rng = np.random.default_rng(0)
    scene = rng.random((96, 96, 3), np.float32)

    def sharpness(camera: Camera) -> float:
        grey = cv2.cvtColor(capture(scene, camera, np.random.default_rng(0), 48), cv2.COLOR_RGB2GRAY)
        return float(cv2.Laplacian(grey, cv2.CV_32F).var())

    assert sharpness(replace(IDEAL, stream=0.5)) < 0.5 * sharpness(IDEAL)
    assert sharpness(replace(IDEAL, blur=1.0)) < 0.5 * sharpness(IDEAL)
    assert sharpness(replace(IDEAL, motion=3.0)) < sharpness(IDEAL)


def test_portrait_cameras_are_better_than_the_population():
    rng = np.random.default_rng(0)
    portraits = [sample_portrait_camera(rng) for _ in range(50)]
    cameras = [sample_camera(rng) for _ in range(50)]
    assert np.mean([c.blur for c in portraits]) < np.mean([c.blur for c in cameras])
    assert {c.name for c in cameras} == {"phone", "webcam", "doorcam"}

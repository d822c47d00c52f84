import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.errors import PictureError
from facegate.faces.crop import LARGEST_SIDE, context_crop, native_crop


@pytest.fixture
def picture():
    return np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def test_native_crop_copies_the_pictures_own_pixels(picture):
    assert (native_crop(picture, [20, 10, 10, 20], 2.0) == picture[0:40, 5:45]).all()


def test_context_crop_of_the_same_size_is_the_native_crop(picture):
    box = [20, 10, 10, 20]
    assert (context_crop(picture, box, 2.0, 40) == native_crop(picture, box, 2.0)).all()


def test_context_crop_averages_areas(picture):
    square = picture[0:40, 5:45].astype(float)
    means = square.reshape(20, 2, 20, 2, 3).mean((1, 3))
    assert np.abs(context_crop(picture, [20, 10, 10, 20], 2.0, 20) - means).max() <= 0.5


@pytest.mark.parametrize("side", [161, 200, 290, 319, 321, 400, 500])
def test_shrinking_by_a_fraction_is_as_good_as_averaging_areas(side):
    noise = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)
    by_area = cv2.resize(smooth, (160, 160), interpolation=cv2.INTER_AREA).astype(float)
    crop = context_crop(smooth, [0, 0, side, side], 1.0, 160).astype(float)
    assert np.abs(crop - by_area).mean() < 0.05 * by_area.std()
    assert crop.std() == pytest.approx(by_area.std(), rel=0.03)


def test_the_edge_is_repeated(picture):
    crop = native_crop(picture, [-5, -5, 10, 10], 2.0)
    assert (crop[:10, :10] == picture[0, 0]).all()
    assert (crop[10:, 10:] == picture[:10, :10]).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(-150, 150), st.integers(-150, 150), st.integers(1, 200))
def test_every_pixel_is_the_pictures_nearest(left, top, side):
    picture = np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    rows, columns = (
        np.clip(np.arange(first, first + side), 0, end - 1) for first, end in ((top, 60), (left, 80))
    )
    assert (native_crop(picture, [left, top, side, side], 1.0) == picture[rows][:, columns]).all()


def test_a_box_outside_the_picture_sees_its_nearest_pixel(picture):
    assert (native_crop(picture, [500, 500, 10, 10], 1.0) == picture[-1, -1]).all()


def test_memory_is_bounded_for_huge_boxes(picture):
    big = np.repeat(np.repeat(picture, 40, axis=0), 40, axis=1)
    crop = native_crop(big, [0, 0, 3200, 2400], 4.0)
    assert LARGEST_SIDE / 2 <= len(crop) <= LARGEST_SIDE
    assert context_crop(big, [0, 0, 3200, 2400], 1.0, 64).shape == (64, 64, 3)


def test_a_huge_face_keeps_its_place(picture):
    """Shrinking beforehand moves nothing by more than a pixel of the result."""
    big = np.zeros((6000, 6000, 3), np.uint8)
    big[2900:3100, 2900:3100] = 255
    crop = context_crop(big, [1000, 1000, 4000, 4000], 1.5, 60)[..., 0].astype(float)
    rows, columns = np.mgrid[:60, :60]
    assert (crop * rows).sum() / crop.sum() == pytest.approx(29.5, abs=0.6)
    assert (crop * columns).sum() / crop.sum() == pytest.approx(29.5, abs=0.6)


@pytest.mark.parametrize(
    "box", [[0, 0, 0, 5], [0, 0, 5, -1], [np.nan, 0, 5, 5], [0, 0, np.inf, 5], [1e9, 0, 5, 5]]
)
def test_hopeless_boxes_are_refused(picture, box):
    with pytest.raises(PictureError, match="box"):
        native_crop(picture, box, 2.0)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-200, 200),
    st.floats(-200, 200),
    st.floats(0.1, 300),
    st.floats(0.1, 300),
    st.floats(1, 4),
    st.integers(1, 130),
)
def test_any_box_gives_a_crop_of_the_asked_size(x, y, width, height, factor, size):
    picture = np.arange(50 * 70 * 3, dtype=np.uint32).reshape(50, 70, 3).astype(np.uint8)
    crop = context_crop(picture, [x, y, width, height], factor, size)
    assert crop.shape == (size, size, 3) and crop.dtype == np.uint8

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.errors import PictureError
from facegate.faces.align import TEMPLATE_112, align, similarity, template, warp
from facegate.faces.detect import Detector
from facegate.faces.picture import load_picture


def umeyama(source, target):
    """The published form, by singular values: an independent reference."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    u, d, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.diag([1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / s.var(0).sum()
    return np.hstack([scale * rotation, (mean_t - scale * rotation @ mean_s)[:, None]])


points = st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=5, max_size=5)


@settings(max_examples=100, deadline=None)
@given(points)
def test_similarity_is_umeyamas_optimum(drawn):
    source = np.array(drawn)
    if source.std(axis=0).max() < 1:
        return
    assert np.allclose(
        similarity(source, TEMPLATE_112), umeyama(source, TEMPLATE_112.astype(float)), atol=1e-6
    )


@settings(max_examples=100, deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(0.05, 20), st.floats(-900, 900), st.floats(-900, 900))
def test_similarity_recovers_the_motion_it_was_made_from(angle, scale, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = TEMPLATE_112 @ turn.T + [x, y]
    assert np.allclose(similarity(TEMPLATE_112, moved), np.hstack([turn, [[x], [y]]]), atol=1e-3)


@pytest.mark.parametrize("bad", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_hopeless_landmarks_are_refused(bad):
    with pytest.raises(PictureError, match="landmarks"):
        similarity(bad, TEMPLATE_112)


def test_a_face_already_in_place_comes_back_unchanged():
    picture = np.random.default_rng(1).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    assert (align(picture, TEMPLATE_112) == picture).all()


@pytest.mark.parametrize("zoom", [0.5, 1, 2.5, 6, 11])
def test_a_dot_on_the_nose_lands_on_the_templates_nose(zoom):
    side = int(300 * zoom)
    landmarks = (TEMPLATE_112 + 60) * zoom
    yy, xx = np.mgrid[:side, :side]
    dot = np.exp(-((xx - landmarks[2, 0]) ** 2 + (yy - landmarks[2, 1]) ** 2) / (2 * (3 * zoom) ** 2))
    picture = np.repeat((255 * dot).astype(np.uint8)[..., None], 3, axis=2)
    crop = align(picture, landmarks)[..., 0].astype(float)
    centre = np.array([(crop * axis).sum() for axis in np.mgrid[:112, :112][::-1]]) / crop.sum()
    assert centre == pytest.approx(TEMPLATE_112[2], abs=0.15)


def test_large_faces_do_not_alias():
    """A one-pixel chequerboard shrunk six times is flat grey, not a moiré."""
    board = np.indices((900, 900)).sum(0) % 2 * 255
    picture = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)
    crop = align(picture, (TEMPLATE_112 + 10) * 6)
    assert crop.std() < 2 and abs(crop.mean() - 127.5) < 2


def test_beyond_the_picture_its_edge_is_repeated():
    picture = np.full((40, 40, 3), 200, np.uint8)
    assert (align(picture, TEMPLATE_112 - 60) == 200).all()


def test_a_picture_wider_than_opencv_can_warp():
    picture = np.full((8, 40_000, 3), 77, np.uint8)
    assert (warp(picture, np.array([[1.0, 0, -39_000], [0, 1, 0]]), 64) == 77).all()


def test_template_for_another_size_keeps_pixel_centres():
    assert template(112) == pytest.approx(TEMPLATE_112)
    assert template(224)[0] == pytest.approx(2 * TEMPLATE_112[0] + 0.5)


def test_one_person_aligned_from_two_scales_is_one_crop(photos):
    picture = load_picture(photos / "obama.jpg")
    height, width = picture.shape[:2]
    smaller = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    half = np.asarray(smaller, np.uint8)
    landmarks = Detector().detect(picture)[0].landmarks
    crops = [align(p, m).astype(float) for p, m in ((picture, landmarks), (half, landmarks / 2 - 0.25))]
    assert np.abs(crops[0] - crops[1]).mean() < 3

"""Eye crops: the eye in the middle, level, as large whatever the face's size, turn and roll."""

import cv2
import numpy as np
import pytest

from facegate.errors import PictureError
from facegate.faces.eyes import DROP, EYE_SIZE, eye_crops, face_unit

FACE = np.array([[60.0, 80], [100, 80], [80, 105], [65, 126], [95, 126]])


def dotted(points, size=200):
    """A grey picture with a red dot where the crop of the right eye, and a blue one where that of the left is centred."""
    picture = np.full((size, size, 3), 90, np.uint8)
    level = points[1] - points[0]
    down = np.array([-level[1], level[0]]) / np.hypot(*level)
    for point, colour in zip(points[:2], ((255, 0, 0), (0, 0, 255)), strict=True):
        x, y = np.rint(point + DROP * face_unit(points) * down).astype(int).tolist()
        cv2.circle(picture, (x, y), 3, colour, -1)
    return picture


def centre_of(crop, channel):
    mask = crop[..., channel].astype(float) - crop[..., 2 - channel]
    rows, columns = np.indices(mask.shape)
    mask = np.clip(mask, 0, None)
    return (rows * mask).sum() / mask.sum(), (columns * mask).sum() / mask.sum()


def turned(points, degrees, scale=1.0, shift=(0, 0)):
    angle = np.radians(degrees)
    rotation = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = points.mean(axis=0)
    return (points - centre) @ rotation + centre + shift


@pytest.mark.parametrize("degrees", [-35, 0, 20])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.6])
def test_each_eye_is_in_the_middle_of_its_crop(degrees, scale):
    points = turned(FACE, degrees, scale)
    right, left = eye_crops(dotted(points), points)
    middle = (EYE_SIZE - 1) / 2
    assert centre_of(right, 0) == pytest.approx((middle, middle), abs=1.2)
    assert centre_of(left, 2) == pytest.approx((middle, middle), abs=1.2)


def test_the_left_eye_is_mirrored():
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, :80] = (np.arange(80) * 3)[None, :, None]
    picture[:, 80:160] = picture[:, 79::-1]
    right, left = eye_crops(picture, FACE)
    assert np.abs(right.astype(int) - left).max() <= 8


def test_a_face_turned_away_keeps_its_size():
    aside = FACE.copy()
    aside[:, 0] = 80 + 0.4 * (FACE[:, 0] - 80)
    assert face_unit(aside) == pytest.approx(face_unit(FACE), rel=0.05)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_impossible_landmarks_are_refused(points):
    with pytest.raises(PictureError, match="landmarks"):
        eye_crops(np.zeros((50, 50, 3), np.uint8), points)


def test_eyes_outside_the_picture_repeat_its_edge():
    crops = eye_crops(np.full((40, 40, 3), 77, np.uint8), FACE + 500)
    assert (crops == 77).all()

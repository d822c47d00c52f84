from dataclasses import replace

import cv2
import numpy as np
import pytest

from facegate.errors import PictureError
from facegate.faces.detect import Detector, Face
from facegate.faces.picture import load_picture
from facegate.faces.pose import Pose
from facegate.faces.quality import Quality, QualityIssue, QualityLimits, assess, issues, visible_share

GOOD = Quality(60.0, 0.3, 120.0, 40.0, Pose(0, 0, 0), 1.0)


@pytest.fixture(scope="module")
def portrait(photos):
    picture = load_picture(photos / "astronaut.png")
    return picture, Detector().detect(picture)[0]


def test_a_portrait_is_good(portrait):
    quality = assess(*portrait)
    assert quality.good
    assert quality.eye_distance == pytest.approx(44, abs=3)


@pytest.mark.parametrize(
    ("spoil", "issue"),
    [
        (lambda p: cv2.GaussianBlur(p, (0, 0), 3.5), QualityIssue.BLURRED),
        (lambda p: (p * 0.05).astype(np.uint8), QualityIssue.TOO_DARK),
        (lambda p: np.clip(p.astype(int) + 160, 0, 255).astype(np.uint8), QualityIssue.TOO_BRIGHT),
        (lambda p: (p * 0.1 + 100).astype(np.uint8), QualityIssue.LOW_CONTRAST),
    ],
)
def test_spoilt_pictures_are_told_apart(portrait, spoil, issue):
    picture, face = portrait
    assert issue in assess(spoil(picture), face).issues


def test_sharpness_ignores_light(portrait):
    picture, face = portrait
    dim = (picture * 0.5).astype(np.uint8)
    assert assess(dim, face).sharpness == pytest.approx(assess(picture, face).sharpness, rel=0.08)


def test_a_small_face_is_too_small(portrait):
    picture, _ = portrait
    small = np.asarray(cv2.resize(picture, (160, 160), interpolation=cv2.INTER_AREA), np.uint8)
    (face,) = Detector().detect(small)
    assert assess(small, face).issues == (QualityIssue.TOO_SMALL,)


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"visible": 0.8}, QualityIssue.CUT_OFF),
        ({"eye_distance": 19.9}, QualityIssue.TOO_SMALL),
        ({"pose": Pose(41, 0, 0)}, QualityIssue.TURNED),
        ({"pose": Pose(-41, 0, 0)}, QualityIssue.TURNED),
        ({"pose": Pose(0, -36, 0)}, QualityIssue.TURNED),
        ({"brightness": 24.0}, QualityIssue.TOO_DARK),
        ({"brightness": 236.0}, QualityIssue.TOO_BRIGHT),
        ({"contrast": 7.9}, QualityIssue.LOW_CONTRAST),
        ({"sharpness": 0.09}, QualityIssue.BLURRED),
    ],
)
def test_each_limit_has_its_issue(change, issue):
    assert issues(GOOD, QualityLimits()) == ()
    assert issues(replace(GOOD, **change), QualityLimits()) == (issue,)


def test_a_tilted_head_is_no_issue():
    assert issues(replace(GOOD, pose=Pose(0, 0, 80)), QualityLimits()) == ()


def test_issues_come_in_the_order_to_mend_them():
    bad = Quality(1.0, 0.0, 0.0, 0.0, Pose(90, 0, 0), 0.1)
    assert issues(bad, QualityLimits())[:3] == (
        QualityIssue.CUT_OFF,
        QualityIssue.TOO_SMALL,
        QualityIssue.TURNED,
    )


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ([0, 0, 10, 10], 1.0),
        ([-5, 0, 10, 10], 0.5),
        ([95, 45, 10, 10], 0.25),
        ([200, 200, 10, 10], 0.0),
        ([0, 0, 0, 0], 0.0),
    ],
)
def test_visible_share(box, share):
    assert visible_share(np.array(box, np.float32), 100, 50) == pytest.approx(share)


def test_hopeless_landmarks_are_refused(portrait):
    picture, face = portrait
    with pytest.raises(PictureError):
        assess(picture, Face(face.box, np.zeros((5, 2), np.float32), 1.0))

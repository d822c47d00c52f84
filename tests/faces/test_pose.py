import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces.align import TEMPLATE_112
from facegate.faces.detect import Detector
from facegate.faces.picture import load_picture
from facegate.faces.pose import MEAN_FACE, pose


def project(yaw, pitch, roll, scale=1.3):
    """The mean face turned by the contract's angles and seen from far away."""
    a, b, c = np.radians([-yaw, -pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (scale * MEAN_FACE @ (about_z @ about_x @ about_y).T)[:, :2] + [200, 100]


@settings(max_examples=100, deadline=None)
@given(st.floats(-60, 60), st.floats(-50, 50), st.floats(-170, 170), st.floats(0.1, 9))
def test_recovers_the_turn_of_the_mean_face(yaw, pitch, roll, scale):
    assert pose(project(yaw, pitch, roll, scale)) == pytest.approx((yaw, pitch, roll), abs=1e-3)


def test_the_nose_shows_the_way():
    """Independent of any rotation matrix: the nose moves to where the head turns."""
    straight = project(0, 0, 0)
    assert project(20, 0, 0)[2, 0] > straight[2, 0]  # the person's left is right in the picture
    assert project(0, 20, 0)[2, 1] < straight[2, 1]  # up
    assert project(0, 0, 20)[1, 1] > project(0, 0, 20)[0, 1]  # clockwise: the right-hand eye sinks


def test_the_template_looks_straight_ahead():
    assert pose(TEMPLATE_112) == pytest.approx((0, 0, 0), abs=12)


def test_coinciding_landmarks_have_no_turn():
    assert pose(np.ones((5, 2))) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "yaw"), [("obama.jpg", 0), ("obama2.jpg", -20), ("biden.jpg", 15), ("astronaut.png", 0)]
)
def test_real_portraits(photos, name, yaw):
    (face,) = Detector().detect(load_picture(photos / name))
    assert pose(face.landmarks) == pytest.approx((yaw, 0, 0), abs=13)

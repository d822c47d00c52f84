"""Motion cues: nothing for a plane however it moves, something for a head that turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.errors import PictureError
from facegate.faces.motion import CUES, affine_hat, motion_cues
from facegate.faces.pose import MEAN_FACE

FLAT = MEAN_FACE[:, :2] + 100
OFF_PLANE, NOSE, TURN = (CUES.index(name) for name in CUES)


def rotated(degrees):
    """The mean face seen after a turn to the side, orthographically."""
    angle = np.radians(degrees)
    x, y, z = MEAN_FACE.T
    return np.column_stack([np.cos(angle) * x + np.sin(angle) * z, y]) + 100


def test_an_affine_map_is_found_exactly():
    target = np.column_stack([FLAT, np.ones(5)]) @ np.array([[1.1, -0.2], [0.3, 0.9], [5, -7]])
    assert affine_hat(FLAT) @ target == pytest.approx(target)
    assert affine_hat(FLAT, [0, 1, 3, 4]) @ target[[0, 1, 3, 4]] == pytest.approx(target)


@given(
    st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.7, 1.3), st.floats(-50, 50)), min_size=2, max_size=8)
)
def test_a_picture_moved_by_hand_has_no_cue_but_turn(moves):
    clip = [
        np.column_stack([FLAT, np.ones(5)])
        @ np.array([[zoom, tilt], [-tilt, zoom * (1 - abs(tilt))], [shift, shift]])
        for tilt, zoom, shift in moves
    ]
    cues = motion_cues(np.stack(clip))
    assert np.abs(cues[:, [OFF_PLANE, NOSE]]).max() < 1e-3


def test_a_still_face_has_no_cue():
    assert np.abs(motion_cues(np.stack([FLAT] * 8))).max() < 1e-9


def test_a_turning_head_leaves_its_plane():
    cues = motion_cues(np.stack([rotated(angle) for angle in np.linspace(-12, 12, 9)]))
    assert cues[0, OFF_PLANE] > 0.15
    assert cues[4, OFF_PLANE] < 0.1
    assert np.sign(cues[0, NOSE]) == -np.sign(cues[-1, NOSE]) != 0
    flat = motion_cues(np.stack([FLAT * [np.cos(np.radians(a)), 1] for a in np.linspace(-12, 12, 9)]))
    assert np.abs(flat[:, OFF_PLANE]).max() < 1e-3


def test_cues_are_bounded_and_finite():
    rng = np.random.default_rng(1)
    cues = motion_cues(rng.uniform(0, 300, (12, 5, 2)))
    assert np.isfinite(cues).all()
    assert np.abs(cues).max() <= 1
    assert cues.dtype == np.float32


@pytest.mark.parametrize("bad", [np.zeros((3, 5, 2)), np.full((3, 5, 2), np.nan)])
def test_impossible_landmarks_are_refused(bad):
    with pytest.raises(PictureError):
        motion_cues(bad)

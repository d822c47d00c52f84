import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.recapture.geometry import (
    Placement,
    cast_rays,
    eye_mouth_distance,
    project,
    to_pixels,
    to_units,
    visible_box,
)

placements = st.builds(
    Placement,
    anchor=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
    target=st.tuples(st.floats(0.4, 0.6), st.floats(0.4, 0.6)),
    scale=st.floats(0.7, 2.5),
    roll=st.floats(-0.4, 0.4),
    tilt=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    bend=st.floats(-0.6, 0.6),
    bend_angle=st.floats(-0.3, 1.7),
)


@settings(max_examples=60, deadline=None)
@given(placements)
def test_projection_inverts_the_rays(placement: Placement):
    """A point seen by the ray of cell (r, c) is projected back onto that cell."""
    rays = cast_rays(placement, 32, 32)
    cells = [(10, 12), (16, 16), (20, 9)]
    points = np.array([(rays.u[r, c], rays.v[r, c]) for r, c in cells])
    found = to_pixels(project(points, placement), 32)
    np.testing.assert_allclose(found, [(c, r) for r, c in cells], atol=0.35)


def test_the_anchor_lands_on_its_target():
    placement = Placement((0.4, 0.6), (0.5, 0.45), 1.7, 0.2, (0.2, -0.1), 0.5, 0.3)
    np.testing.assert_allclose(project(np.array([[0.4, 0.6]]), placement), [[0.5, 0.45]], atol=1e-6)


def test_scale_and_roll_of_a_frontal_flat_sheet():
    placement = Placement((0.5, 0.5), (0.5, 0.5), 2.0, np.pi / 2)
    np.testing.assert_allclose(project(np.array([[0.6, 0.5]]), placement), [[0.5, 0.7]], atol=1e-6)


def test_a_flat_sheet_has_no_slope_and_a_bent_one_slopes_both_ways():
    flat = cast_rays(Placement((0.5, 0.5), (0.5, 0.5), 1.0), 16, 16)
    bent = cast_rays(Placement((0.5, 0.5), (0.5, 0.5), 1.0, bend=0.5), 16, 16)
    assert not flat.slope.any()
    assert bent.slope.min() < -0.2
    assert bent.slope.max() > 0.2
    assert np.ptp(bent.u) > np.ptp(flat.u)


def test_units_and_pixels_are_inverse():
    points = np.array([[0.0, 3.5], [10.0, 20.0]], np.float32)
    np.testing.assert_allclose(to_pixels(to_units(points, 64), 64), points, atol=1e-4)


def test_visible_box_of_an_enlarged_photograph():
    box = visible_box(Placement((0.5, 0.5), (0.5, 0.5), 2.0), 1.0)
    np.testing.assert_allclose(box, (0.25, 0.25, 0.75, 0.75), atol=0.04)


def test_eye_mouth_distance():
    points = np.array([(0, 0), (2, 0), (1, 1), (0, 3), (2, 3)], float)
    assert eye_mouth_distance(points) == 3

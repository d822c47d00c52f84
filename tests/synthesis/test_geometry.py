import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.synthesis.geometry import (
    direction,
    harmonics,
    light_basis,
    rotation,
    smoothstep,
    sphere_points,
    unit,
)

ANGLE = st.floats(-1.2, 1.2)


def test_signs_of_the_pose():
    forward, up = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    assert (rotation(0.4, 0, 0) @ forward)[0] > 0.3  # the person's left is the picture's right
    assert (rotation(0, 0.4, 0) @ forward)[1] > 0.3
    assert (rotation(0, 0, 0.4) @ up)[0] > 0.3  # clockwise in the picture


@given(ANGLE, ANGLE, ANGLE)
def test_rotations_keep_lengths_and_handedness(yaw: float, pitch: float, roll: float):
    turn = rotation(yaw, pitch, roll).astype(float)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(turn) == pytest.approx(1, abs=1e-5)


@given(st.floats(-180, 180), st.floats(-89, 89))
def test_light_basis_is_orthonormal_and_looks_at_the_light(azimuth: float, elevation: float):
    towards = direction(azimuth, elevation)
    basis = light_basis(towards).astype(float)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(basis[2], towards, atol=1e-6)


def test_harmonics_are_orthonormal():
    values = harmonics(sphere_points(4000)).astype(float)
    np.testing.assert_allclose(4 * np.pi * values.T @ values / 4000, np.eye(9), atol=0.01)


def test_smoothstep_goes_either_way():
    x = np.linspace(-1, 2, 31, dtype=np.float32)
    up, down = smoothstep(0, 1, x), smoothstep(1, 0, x)
    assert up[0] == down[-1] == 0
    np.testing.assert_allclose(up + down, 1, atol=1e-6)


def test_unit_survives_zero():
    assert np.isfinite(unit(np.zeros((2, 3), np.float32))).all()

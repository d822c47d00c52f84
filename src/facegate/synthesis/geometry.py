"""Rotations, directions, spherical harmonics and the camera's projection."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
"""Real numbers; float32 wherever they reach a compiled kernel."""


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Rotation of a head as (3, 3).

    Args:
        yaw: radians, positive towards the person's left.
        pitch: radians, positive upwards.
        roll: radians, positive clockwise in the picture.
    """
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(-pitch), math.sin(-pitch)
    cr, sr = math.cos(-roll), math.sin(-roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    lean = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (lean @ turn @ nod).astype(np.float32)


def direction(azimuth: float, elevation: float) -> Array:
    """Unit vector (3,) from degrees: azimuth 0 faces the camera, 90 is the picture's right; elevation is up."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)], np.float32)


def light_basis(towards: Array) -> Array:
    """(3, 3) rows right, up, towards: a frame to look along a parallel light."""
    up = np.array([0, 1, 0.0]) if abs(towards[1]) < 0.9 else np.array([1.0, 0, 0])
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards]).astype(np.float32)


def sphere_points(count: int) -> Array:
    """(count, 3) unit vectors spread evenly over the sphere (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack(
        [np.cos(around) * np.sin(polar), np.cos(polar), np.sin(around) * np.sin(polar)], -1
    ).astype(np.float32)


def harmonics(directions: Array) -> Array:
    """First nine real spherical harmonics at (N, 3) unit vectors, as (N, 9)."""
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        -1,
    ).astype(np.float32)


def smoothstep(low: float | Array, high: float | Array, x: Array) -> Array:
    """0 below `low`, 1 above `high` (or the other way round), smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def unit(vectors: Array) -> Array:
    """Vectors of (..., 3) scaled to length one."""
    length = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))[..., None]
    return (vectors / (length + 1e-9)).astype(np.float32)

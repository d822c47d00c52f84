"""Motion cues: nothing for a plane however it moves, something for what stands out of it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces.motion import CUES, motion_cues, off_plane

SIZE = 160
OFF_PLANE, PARALLAX, KEPT = (CUES.index(name) for name in CUES)


def texture(seed=1):
    """Smooth random texture with corners to track."""
    coarse = np.random.default_rng(seed).integers(30, 226, (40, 40, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.uint8)


def flat(picture, tilt, zoom, shift):
    """A photograph of the texture moved by hand: an affine map."""
    middle = SIZE / 2
    matrix = np.array([[zoom, tilt, 0.0], [-tilt, zoom * (1 - abs(tilt)), 0.0]])
    matrix[:, 2] = middle + shift - matrix[:, :2] @ [middle, middle]
    moved = cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def relief(picture, degrees):
    """The texture on a surface with a bump in its middle, seen after a small turn to the side."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    height = 8 * np.exp(-(((x - 80) / 16) ** 2 + ((y - 88) / 16) ** 2) / 2)
    shift = np.sin(np.radians(degrees)).astype(np.float32) * height
    return np.asarray(cv2.remap(picture, x - shift, y, cv2.INTER_LINEAR), np.uint8)


MOVES = [(0.0, 1.0, 0.0), (0.04, 1.02, 2.0), (-0.05, 0.97, -3.0), (0.02, 1.05, 1.0)]


def test_what_an_affine_function_explains_is_gone():
    points = np.random.default_rng(1).uniform(0, 100, (30, 2))
    values = np.column_stack([3 * points[:, 0] - points[:, 1] + 7, points @ [0.5, 2] - 1])
    assert off_plane(points, values) == pytest.approx(np.zeros((30, 2)), abs=1e-9)
    assert np.abs(off_plane(points, values**2)).max() > 1


def test_a_picture_moved_by_hand_stays_a_plane_and_a_relief_does_not():
    picture = texture()
    plane = motion_cues(np.stack([flat(picture, *move) for move in MOVES] * 2))
    head = motion_cues(np.stack([relief(picture, angle) for angle in (-9, -6, -3, 0, 0, 3, 6, 9)]))
    assert plane[:, KEPT].min() > 0.5
    assert plane[:, OFF_PLANE].max() < 0.3
    assert head[[0, -1], PARALLAX].min() > 2 * plane[:, PARALLAX].max()
    assert head[0, PARALLAX] > head[2, PARALLAX] > head[4, PARALLAX]


def test_a_still_picture_has_no_motion():
    cues = motion_cues(np.stack([texture()] * 8))
    assert cues[:, [OFF_PLANE, PARALLAX]].max() < 1e-3


def test_mirrored_frames_move_alike():
    frames = np.stack([relief(texture(), angle) for angle in (-6, -3, 0, 0, 0, 3, 6, 8)])
    mirrored = motion_cues(np.ascontiguousarray(frames[:, :, ::-1]))
    assert mirrored[:, PARALLAX] == pytest.approx(motion_cues(frames)[:, PARALLAX], abs=0.15)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100), st.sampled_from([48, 64, 160]))
def test_cues_are_bounded_for_anything(seed, size):
    frames = np.random.default_rng(seed).integers(0, 256, (8, size, size, 3), np.uint8)
    cues = motion_cues(frames)
    assert cues.shape == (8, len(CUES))
    assert cues.dtype == np.float32
    assert np.isfinite(cues).all()
    assert 0 <= cues.min() <= cues.max() <= 1


def test_without_anything_to_track_nothing_is_said():
    assert not motion_cues(np.full((8, 64, 64, 3), 90, np.uint8)).any()

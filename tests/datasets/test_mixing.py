import numpy as np
import pytest

from facegate.datasets import mixing

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def faces():
    x, y = np.meshgrid(np.linspace(0, 255, 112), np.linspace(0, 255, 112))
    return np.stack([np.stack([x, y, np.full_like(x, 40 * k)], 2) for k in range(3)]).astype(np.uint8)


def test_another_face_depends_on_its_generator_alone(faces):
    first, again, other = (mixing.other_face(faces, RNG(seed)) for seed in (1, 1, 2))
    assert first.shape == faces[0].shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("effect", [mixing.warp, mixing.sharpen, mixing.skin_texture])
def test_an_effect_changes_a_copy(faces, effect):
    before = faces.copy()
    assert not np.array_equal(effect(faces[0], RNG(3)), faces[0])
    assert np.array_equal(faces, before)


def test_a_mix_of_a_face_with_itself_is_that_face(faces):
    """Soft masks sum to one, whatever they are; tone matching has nothing to do."""
    mixed = mixing.mix_regions(faces[0], faces[0], RNG(4))
    assert np.abs(mixed.astype(int) - faces[0]).max() <= 1


def test_a_mix_holds_both_faces(faces):
    dark, light = np.full_like(faces[0], 40), np.full_like(faces[0], 200)
    seen = np.concatenate([mixing.mix_regions(dark, light, RNG(seed)).ravel() for seed in range(12)])
    assert seen.min() < 60
    assert seen.max() > 180


def test_a_warp_moves_but_keeps_the_range_of_values(faces):
    warped = mixing.warp(faces[1], RNG(5)).astype(int)
    assert np.abs(warped - faces[1]).max() > 3
    assert np.abs(warped - faces[1]).mean() < 25

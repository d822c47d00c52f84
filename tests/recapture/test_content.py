import numpy as np
import pytest

from facegate.contracts import AttackSpecies
from facegate.recapture.content import (
    FLAT,
    dead_leaves,
    from_photograph,
    pink_noise,
    scene,
    taken_again,
    taken_at_once,
)


def test_a_scene_depends_on_its_generator_alone():
    first, again, other = (scene(np.random.default_rng(seed), 128) for seed in (1, 1, 2))
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0 < first.min() < 0.2 < first.max() <= 1.5


def test_pink_noise_falls_with_frequency():
    field = pink_noise(np.random.default_rng(0), 128, 1)[..., 0]
    assert (field.mean(), field.std()) == pytest.approx((0, 1), abs=1e-5)
    power = np.abs(np.fft.rfft2(field)) ** 2
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.rfftfreq(128))
    bands = [power[(frequency > a) & (frequency <= 2 * a)].mean() for a in (1 / 64, 1 / 16, 1 / 4)]
    slopes = -np.diff(np.log(bands)) / np.log(4) / 2
    assert ((slopes > 0.7) & (slopes < 1.4)).all()


def test_dead_leaves_have_edges_at_every_scale():
    """Mean gradients of natural pictures keep their size under shrinking; those of noise fall away."""
    leaves = dead_leaves(np.random.default_rng(5), 256).mean(2)
    halved = leaves.reshape(128, 2, 128, 2).mean((1, 3))
    contrast = [np.abs(np.diff(picture, axis=0)).mean() for picture in (leaves, halved)]
    assert 1.0 < contrast[1] / contrast[0] < 2.0


@pytest.mark.parametrize("species", FLAT)
def test_the_same_scene_comes_at_once_and_by_way_of_a_medium(species):
    content = scene(np.random.default_rng(3), 128)
    live, camera = taken_at_once(content, np.random.default_rng(4), 64)
    again = taken_again(content, species, np.random.default_rng(4), 64)
    assert live.shape == again.image.shape == (64, 64, 3)
    assert live.dtype == again.image.dtype == np.uint8
    assert camera
    assert again.landmarks is None
    assert again.variant.split("/")[0] in {"laser", "inkjet", "photo", "display"}


def test_a_mask_carries_no_picture():
    with pytest.raises(ValueError, match=r"is no.* flat medium"):
        taken_again(
            scene(np.random.default_rng(3), 64), AttackSpecies.MASK_RIGID, np.random.default_rng(4), 64
        )


def test_a_photograph_becomes_a_linear_square():
    photograph = np.full((90, 120, 3), 188, np.uint8)
    content = from_photograph(photograph, np.random.default_rng(0), 32)
    assert content.shape == (32, 32, 3)
    assert content == pytest.approx(np.full((32, 32, 3), 0.503), abs=0.01)

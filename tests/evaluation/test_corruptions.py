import numpy as np
import pytest

from facegate.evaluation.corruptions import CORRUPTIONS

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def difference(name, strength, seed=0):
    changed = CORRUPTIONS[name](PICTURE, strength, np.random.default_rng(seed))
    assert changed.shape == PICTURE.shape
    assert changed.dtype == np.uint8
    return np.abs(changed.astype(int) - PICTURE).mean()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_strength_leaves_the_picture_alone(name):
    assert difference(name, 0.0) < 1


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_more_strength_changes_more(name):
    steps = [difference(name, strength) for strength in (0.25, 0.5, 1.0)]
    assert 0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_seed_decides(name):
    assert difference(name, 0.6, 3) == difference(name, 0.6, 3)

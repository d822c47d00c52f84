"""The loss of fine-tuning against its formula in NumPy."""

import numpy as np
import pytest
import torch

from facegate.models.recognition.finetune import people_loss


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize(("margin", "scale"), [(0.0, 1.0), (0.2, 16.0)])
def test_people_loss_is_the_cross_entropy_over_people_and_strangers(margin: float, scale: float):
    rng = np.random.default_rng(0)
    own, prototypes, strangers = unit(rng, 5, 8), unit(rng, 3, 8), unit(rng, 4, 8)
    people = np.array([0, 1, 2, 2, 0])
    cosines = np.concatenate([own @ prototypes.T, own @ strangers.T], 1)
    cosines[np.arange(5), people] -= margin
    powers = np.exp(scale * cosines.astype(np.float64))
    expected = -np.log(powers[np.arange(5), people] / powers.sum(1)).mean()
    given, names, classes, others = map(torch.from_numpy, (own, people, 7 * prototypes, strangers))
    found = people_loss(given, names, classes, others, margin, scale)
    assert found.item() == pytest.approx(expected, rel=1e-5)

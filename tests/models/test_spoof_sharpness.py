"""The loss that keeps answers from following sharpness, against what evaluation measures and against NumPy."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch

from facegate.evaluation.cues import CUES, picture_cues
from facegate.metrics.correlation import spearman
from facegate.models.spoof.module import SpoofModule
from facegate.models.spoof.sharpness import dependence, sharpness
from facegate.params import OptimParams, SpoofParams


def pictures(count: int = 24, size: int = 64) -> np.ndarray:
    rng = np.random.default_rng(4)
    sharp = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return np.stack(
        [cv2.GaussianBlur(p, (0, 0), s) for p, s in zip(sharp, rng.uniform(0.4, 4, count), strict=True)]
    )


def tensor(images: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 128) / 128


def test_it_is_the_sharpness_of_the_evaluation():
    images = pictures()
    measured = np.array([picture_cues(image)[CUES.index("sharpness")] for image in images])
    found = sharpness(tensor(images)).numpy()
    assert np.exp(found) == pytest.approx(measured, rel=0.05)
    assert spearman(found, measured) > 0.99


def test_a_flat_picture_has_a_finite_sharpness():
    assert torch.isfinite(sharpness(torch.zeros(2, 3, 32, 32))).all()


def test_dependence_is_the_sum_of_squared_correlations():
    rng = np.random.default_rng(0)
    answers, cue = rng.normal(size=(2, 40)).astype(np.float32)
    classes = np.repeat([0, 1], (15, 25))
    wanted = sum(np.corrcoef(answers[classes == k], cue[classes == k])[0, 1] ** 2 for k in (0, 1))
    found = dependence(torch.from_numpy(answers), torch.from_numpy(cue), torch.from_numpy(classes))
    assert float(found) == pytest.approx(wanted, rel=1e-4)


def test_classes_of_few_pictures_or_equal_answers_cost_nothing():
    cue = torch.arange(6.0)
    assert float(dependence(torch.ones(6), cue, torch.zeros(6))) == 0
    assert float(dependence(torch.randn(6), cue, torch.tensor([0, 0, 1, 1, 2, 2]))) == 0


def test_the_loss_holds_answers_that_follow_sharpness_dearer():
    images = tensor(pictures(size=48))
    labels = torch.arange(len(images)) % 3
    losses = []
    for weight in (0.0, 1.0, 2.0):
        torch.manual_seed(0)
        optim = OptimParams(epochs=1, batch_size=24, learning_rate=1e-3, weight_decay=0.0)
        module = SpoofModule(SpoofParams(sharpness_weight=weight, optim=optim), 48, 3)
        torch.manual_seed(1)  # of the dropout
        losses.append(module.loss_of(images, labels))
    first, second = ((b - a).item() for a, b in pairwise(losses))
    assert first > 1e-3 and second == pytest.approx(first, rel=1e-3)
    losses[-1].backward()

"""The medium branch learns from a part of its patch first, and from all of it at the end."""

import numpy as np
import pytest
import torch

from facegate.models.spoof.module import SpoofModule
from facegate.models.spoof.network import SpoofNet
from facegate.params import OptimParams, SpoofParams

OPTIM = OptimParams(epochs=1, batch_size=8, learning_rate=1e-3, weight_decay=0.0)
SIZE = 96


def batch():
    rng = torch.Generator().manual_seed(3)
    return torch.randn(8, 3, SIZE, SIZE, generator=rng), torch.arange(8) % 3


def seen(module, monkeypatch, progress, seed=0):
    """What the medium branch was shown in one step."""
    shown = []
    monkeypatch.setattr(SpoofModule, "progress", progress)
    maps = module.network.medium.maps
    monkeypatch.setattr(module.network.medium, "maps", lambda x: (shown.append(x), maps(x))[1])
    torch.manual_seed(seed)
    module.loss_of(*batch()).backward()
    return shown[0]


def test_a_part_is_cut_from_the_patch():
    network, pictures = SpoofNet(size=160), torch.randn(2, 3, 160, 160)
    assert (network.patch, network.part) == (112, 80)
    whole = network.native(pictures)
    torch.testing.assert_close(network.native(pictures, (3, 31)), whole[:, :, 3:83, 31:111])


@pytest.mark.parametrize(("progress", "part"), [(0.0, True), (0.59, True), (0.6, False), (1.0, False)])
def test_training_ends_with_the_whole_patch(monkeypatch, progress, part):
    module = SpoofModule(SpoofParams(width=0.5, part=0.6, optim=OPTIM), SIZE, 3)
    side = module.network.part if part else module.network.patch
    assert seen(module, monkeypatch, progress).shape[2:] == (side, side)


def test_each_step_looks_elsewhere_and_a_seed_says_where(monkeypatch):
    module = SpoofModule(SpoofParams(width=0.5, part=1.0, optim=OPTIM), SIZE, 3)
    looks = [seen(module, monkeypatch, 0.5, seed).detach().numpy() for seed in (1, 2, 1)]
    assert np.array_equal(looks[0], looks[2]) and not np.array_equal(looks[0], looks[1])

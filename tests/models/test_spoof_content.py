"""Pictures that show no face teach the medium branch; what the scene branch makes of them stays in training."""

import pytest
import torch

from facegate.models.spoof.module import SpoofModule
from facegate.params import OptimParams, SpoofParams

OPTIM = OptimParams(epochs=1, batch_size=8, learning_rate=1e-3, weight_decay=0.0)
SIZE, SPECIES = 48, 3


@pytest.fixture
def module():
    torch.manual_seed(5)
    return SpoofModule(SpoofParams(width=0.5, optim=OPTIM), SIZE, SPECIES)


def step(module, labels):
    pictures = torch.randn(len(labels), 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    loss = module.loss_of(pictures, torch.tensor(labels))
    loss.backward()
    return float(loss.detach())


def moved(layer):
    return layer.weight.grad is not None and bool(layer.weight.grad.abs().sum() > 0)


def test_without_a_face_the_scene_branch_stays_silent(module):
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(3):
        step(module, [3, 4, 5, 3])
        optimizer.step()
    assert moved(module.network.medium_judge) and moved(module.elsewhere)
    pictures = torch.randn(4, 3, SIZE, SIZE)
    network = module.network.eval()
    assert torch.equal(network(pictures), network.medium_judge(network.describe_medium(pictures)))


def test_faces_teach_both_branches_and_nothing_elsewhere(module):
    step(module, [0, 1, 2, 0])
    assert moved(module.network.medium_judge) and moved(module.network.scene_judge)
    assert not moved(module.elsewhere)


def test_a_species_is_the_same_with_a_face_and_without(module):
    torch.nn.init.zeros_(module.elsewhere.weight)
    torch.nn.init.zeros_(module.elsewhere.bias)
    module.network.dropout.p = 0.0
    assert step(module, [0, 1, 2, 0]) == pytest.approx(step(module, [3, 4, 5, 3]))

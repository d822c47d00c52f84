"""What a spoof network may learn by beside its answer, against NumPy and against what the papers write down."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from facegate.models.learner import Finishing
from facegate.models.spoof.auxiliary import Depth, Fourier, ellipsoid, everywhere, spectrum
from facegate.models.spoof.central import fold, take_from_centre
from facegate.models.spoof.module import SMOOTHING, SpoofModule, focal
from facegate.models.spoof.network import build_network
from facegate.params import AuxiliaryParams, OptimParams, SpoofParams

NO_PICTURES = np.empty((0, 160, 160, 3), np.uint8)

OPTIM = OptimParams(epochs=1, batch_size=8, learning_rate=1e-3, weight_decay=0.0)
SIZE = 64


def module_of(**recipe):
    torch.manual_seed(0)
    return SpoofModule(SpoofParams(width=0.5, optim=OPTIM, **recipe), SIZE, 3)


def batch():
    rng = torch.Generator().manual_seed(3)
    return torch.randn(9, 3, SIZE, SIZE, generator=rng), torch.arange(9) % 3


def loss_of(module):
    torch.manual_seed(1)  # of the dropout
    return module.loss_of(*batch())


def test_every_place_answers_by_the_judge_of_the_mean():
    judge, maps = nn.Linear(5, 2), torch.randn(3, 5, 4, 2)
    logits, classes = everywhere(judge, maps, torch.tensor([1, 0, 1]))
    assert logits.shape == (24, 2) and classes.tolist() == [1] * 8 + [0] * 8 + [1] * 8
    torch.testing.assert_close(logits[8:16].mean(0), judge(maps[1].mean((1, 2))))
    torch.testing.assert_close(logits[8 + 3], judge(maps[1, :, 1, 1]))


def test_a_live_face_has_a_depth_and_an_attack_has_none():
    dome = ellipsoid(20, 20)
    assert dome.max() == pytest.approx(1, abs=0.01) and dome[9:11, 9:11].min() > 0.99
    assert dome[0].max() == 0 and dome[:, 0].max() == 0  # the crop is larger than the face
    torch.testing.assert_close(dome, dome.flip(0, 1))
    task = Depth(4)
    for part in task.parameters():
        nn.init.zeros_(part)
    maps = torch.randn(2, 4, 5, 5)
    assert task(maps, torch.tensor([False, False])).item() == 0
    assert task(maps, torch.tensor([True, False])).item() == pytest.approx(float((dome**2).mean()) / 2)


def test_the_spectrum_is_the_one_of_numpy():
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(2, 3, 32, 32)).astype(np.float32)
    luma = np.tensordot((0.299, 0.587, 0.114), pictures, (0, 1))
    wanted = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(luma), axes=(1, 2))))
    wanted = wanted.reshape(2, 8, 4, 8, 4).mean((2, 4))
    wanted = (wanted - wanted.mean((1, 2), keepdims=True)) / wanted.std((1, 2), ddof=1, keepdims=True)
    found = spectrum(torch.from_numpy(pictures), (8, 8))
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-4)


def test_stripes_stand_out_and_a_flat_patch_is_finite():
    stripes = torch.cos(2 * torch.pi * 8 * torch.arange(32) / 32).expand(1, 3, 32, 32)
    found = spectrum(stripes, (32, 32))[0]
    assert sorted(found.flatten().topk(2).indices.tolist()) == [16 * 32 + 8, 16 * 32 + 24]
    assert torch.isfinite(Fourier(4)(torch.zeros(1, 4, 2, 2), torch.zeros(1, 3, 32, 32)))


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_central_difference_is_the_difference_of_two_convolutions(share):
    first = nn.Conv2d(3, 4, 3)
    network = nn.Sequential(first, nn.Conv2d(4, 2, 1))
    kernels, bias = first.weight.detach().clone(), first.bias
    x = torch.randn(1, 3, 9, 9)
    wanted = functional.conv2d(x, kernels, bias) - share * functional.conv2d(
        x[:, :, 1:-1, 1:-1], kernels.sum((2, 3), keepdim=True)
    )
    take_from_centre(network, share)
    torch.testing.assert_close(first(x), wanted)
    trained = network(x)
    fold(network)
    assert set(network.state_dict()) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    torch.testing.assert_close(network(x), trained)


def test_focal_weighs_what_is_sure_less():
    logits, classes = torch.tensor([[3.0, 0.0], [0.2, 0.0]]), torch.tensor([0, 1])
    right = np.array([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(0.2))])
    losses = -(1 - SMOOTHING / 2) * np.log(right) - SMOOTHING / 2 * np.log(1 - right)
    assert float(focal(logits, classes, 0)) == pytest.approx(losses.mean(), rel=1e-5)
    assert float(focal(logits, classes, 2)) == pytest.approx(((1 - right) ** 2 * losses).mean(), rel=1e-5)


@pytest.mark.parametrize("task", ["pixel", "depth", "fourier"])
def test_an_auxiliary_task_costs_by_its_weight_and_teaches_the_features(task):
    plain, once, twice = (
        loss_of(module_of(auxiliary=AuxiliaryParams(**{task: weight}))) for weight in (0.0, 1.0, 2.0)
    )
    assert (once > plain).item()
    assert (twice - once).item() == pytest.approx((once - plain).item(), rel=1e-3)
    module = module_of(auxiliary=AuxiliaryParams(**{task: 1.0}), species_weight=0.0, branch_weight=0.0)
    loss_of(module).backward()
    branch = "scene" if task == "depth" else "medium"
    stem = next(p for name, p in module.named_parameters() if name.startswith(f"network.{branch}."))
    assert stem.grad is not None and stem.grad.abs().sum() > 0


def test_what_is_kept_is_the_plain_network_whatever_it_learnt_by():
    module = module_of(
        central_difference=0.5, focal=2.0, auxiliary=AuxiliaryParams(pixel=0.5, depth=0.5, fourier=0.5)
    ).eval()
    pictures = batch()[0]
    answers = module.network(pictures)
    module.finish(Finishing(NO_PICTURES, NO_PICTURES, np.empty(0, np.intp)))
    plain = build_network(0.5, SIZE).eval()
    plain.load_state_dict(module.network.state_dict())
    torch.testing.assert_close(plain(pictures), answers, atol=1e-5, rtol=1e-4)

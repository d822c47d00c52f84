import pytest
import torch
from torch import nn

from facegate.errors import ParamsError
from facegate.models.blocks import normalise, parameter_count, scaled
from facegate.models.recognition.network import WholeMap, shrink
from facegate.models.recognition.network import build_network as build_recogniser
from facegate.models.spoof.network import Detail, SpoofNet
from facegate.models.spoof.network import build_network as build_spoof

ALLOWED = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.ReLU,
    nn.Hardtanh,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
    nn.Linear,
    nn.Dropout,
)
"""Layers that fold into, or have, an int8 operator in ONNX Runtime (dropout is gone at inference)."""


@pytest.mark.parametrize(
    ("backbone", "width", "embedding", "weights"),
    [
        ("dense_resnet", 1.0, 128, 638_736),
        ("flat_resnet", 1.0, 128, 1_067_024),
        ("mobilefacenet", 1.0, 128, 995_328),
        ("dense_resnet", 0.5, 64, None),
        ("flat_resnet", 0.5, 64, None),
    ],
)
def test_recogniser_shapes_and_weights(backbone, width, embedding, weights):
    network = build_recogniser(backbone, width, embedding).eval()
    assert network(torch.zeros(2, 3, 112, 112)).shape == (2, embedding)
    if weights:
        assert parameter_count(network) == weights


@pytest.mark.parametrize("size", [128, 96, 160])
def test_spoof_shapes(size):
    network = build_spoof(0.5, size).eval()
    assert network(torch.zeros(3, 3, size, size)).shape == (3, 2)


@pytest.mark.parametrize(
    "network",
    [
        build_recogniser(),
        build_recogniser("flat_resnet"),
        build_recogniser("mobilefacenet"),
        build_spoof(),
    ],
)
def test_only_layers_that_quantise(network):
    leaves = [layer for layer in network.modules() if not list(layer.children())]
    assert leaves
    assert {type(layer) for layer in leaves} <= {*ALLOWED, WholeMap}


@pytest.mark.parametrize("outputs", [None, 4])
def test_a_whole_map_trains_as_a_sum_and_answers_as_the_convolution_it_is(outputs):
    torch.manual_seed(0)
    layer = WholeMap(6, 7, outputs)
    maps = torch.randn(5, 6, 7, 7, requires_grad=True)
    trained = layer.train()(maps)
    answered = layer.eval()(maps)
    assert trained.shape == answered.shape == (5, outputs or 6, 1, 1)
    torch.testing.assert_close(trained, answered)
    ways = [torch.autograd.grad(out.square().sum(), (maps, layer.weight)) for out in (trained, answered)]
    for by_sum, by_convolution in zip(*ways, strict=True):
        torch.testing.assert_close(by_sum, by_convolution)


@pytest.mark.parametrize("outputs", [None, 4])
def test_a_whole_map_trains_on_a_smaller_map_as_on_the_large_one_that_it_was(outputs):
    torch.manual_seed(0)
    layer = WholeMap(6, 7, outputs).train()
    corners = torch.randn(*layer.weight.shape[:2], 2, 2)
    smooth = torch.nn.functional.interpolate(corners, (7, 7), mode="bilinear")
    with torch.no_grad():
        layer.weight.copy_(smooth)
    large = torch.nn.functional.interpolate(torch.randn(5, 6, 2, 2), (7, 7), mode="bilinear")
    whole, small = layer(large), layer(shrink(large, 5))
    assert torch.corrcoef(torch.stack([whole.flatten(), small.flatten()]))[0, 1] > 0.98
    with torch.no_grad():
        layer.weight.fill_(0.5)
    torch.testing.assert_close(layer(torch.full((1, 6, 5, 5), 2.0)), layer(torch.full((1, 6, 7, 7), 2.0)))


def test_any_timm_backbone_becomes_a_recogniser():
    network = build_recogniser("timm/resnet10t", embedding=64).eval()
    assert network(torch.zeros(2, 3, 112, 112)).shape == (2, 64)
    with pytest.raises(ParamsError, match="timm knows no `resnet10`") as caught:
        build_recogniser("timm/resnet10")
    assert "resnet10t" in caught.value.remedy


def test_a_student_may_shift_its_embeddings():
    assert next(
        m for m in reversed(list(build_recogniser(student=True).modules())) if isinstance(m, nn.BatchNorm2d)
    ).affine


def test_last_normalisation_has_no_affine_part():
    norms = [m for m in build_recogniser().modules() if isinstance(m, nn.BatchNorm2d)]
    assert not norms[-1].affine
    assert all(norm.affine for norm in norms[:-1])


def test_detail_forgets_what_is_flat_and_int8_holds_its_kernel():
    detail = Detail()
    assert detail(torch.full((1, 3, 9, 9), 0.7)).abs().max() < 1e-5
    kernel = next(detail.parameters())
    assert not kernel.requires_grad
    steps = kernel / (kernel.max() / 127)
    torch.testing.assert_close(steps, steps.round(), atol=1e-4, rtol=0)
    assert steps.round().sum() == 0


def test_spoof_branches_see_what_they_should():
    """A change at the rim reaches the scene branch only; one pixel in the middle reaches the native branch."""
    network = SpoofNet(0.5)
    network.eval()
    plain = torch.zeros(1, 3, 128, 128)
    rim, dot = plain.clone(), plain.clone()
    rim[..., :8] = 1
    dot[..., 64, 64] = 1
    features = network.medium.features
    with torch.no_grad():
        still = network.describe(plain)
        assert torch.equal(network.describe(rim)[:, :features], still[:, :features])
        assert not torch.equal(network.describe(rim)[:, features:], still[:, features:])
        assert not torch.equal(network.describe(dot)[:, :features], still[:, :features])


def test_normalise_is_what_the_contract_says():
    images = torch.tensor([[[[0, 128, 255]]]], dtype=torch.uint8)
    assert normalise(images).flatten().tolist() == [-1.0, 0.0, 127 / 128]


@pytest.mark.parametrize(
    ("channels", "width", "expected"), [(16, 1.0, 16), (16, 0.25, 8), (64, 0.7, 48), (3, 0.1, 8)]
)
def test_scaled_channels(channels, width, expected):
    assert scaled(channels, width) == expected

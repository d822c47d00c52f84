"""Asking twice, about the picture and its mirror image, inside the graph."""

import copy

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from facegate.benchmark.cost import layer_costs
from facegate.contracts import Task
from facegate.exporting.calibration_set import normalised
from facegate.exporting.half import halve
from facegate.exporting.mirror import add_mirror, mirrored_raw, raw_answers, remove_mirror
from facegate.exporting.onnx import export, serialise
from facegate.exporting.quantize import quantise
from facegate.models.spoof.network import build_network
from facegate.registry.site import Shift, append_shift
from tests.exporting.test_onnx import SIZE, by_torch, run


def asking_twice(network: nn.Module) -> nn.Module:
    network = copy.deepcopy(network)
    network.mirrored = True  # type: ignore[assignment]
    return network


@pytest.fixture(scope="module")
def twice(judge: nn.Module) -> nn.Module:
    return asking_twice(judge)


@pytest.fixture(scope="module")
def twice_onnx(twice: nn.Module) -> bytes:
    return export(twice, Task.SPOOF, SIZE)


def logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities[:, 1] / probabilities[:, 0])


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_answer_is_the_mean_of_both_at_any_batch(
    batch: int, twice: nn.Module, twice_onnx: bytes, judge_onnx: bytes, pictures: np.ndarray
) -> None:
    given = pictures[:batch]
    found = run(twice_onnx, given)
    plain, mirrored = run(judge_onnx, given), run(judge_onnx, given[:, :, ::-1])
    assert np.abs(logits(plain) - logits(mirrored)).max() > 1e-3
    np.testing.assert_allclose(logits(found), (logits(plain) + logits(mirrored)) / 2, atol=1e-4)
    np.testing.assert_allclose(found, by_torch(twice, Task.SPOOF, given), atol=1e-5)


def test_a_picture_and_its_mirror_image_get_the_same_answer(twice_onnx: bytes, pictures: np.ndarray) -> None:
    np.testing.assert_allclose(run(twice_onnx, pictures), run(twice_onnx, pictures[:, :, ::-1]), atol=1e-6)


def test_normalised_planes_may_be_given_too(
    twice: nn.Module, twice_onnx: bytes, pictures: np.ndarray
) -> None:
    bare = export(twice, Task.SPOOF, SIZE, in_graph=False)
    np.testing.assert_allclose(run(bare, normalised(pictures)), run(twice_onnx, pictures), atol=1e-6)


def test_taken_away_again_nothing_is_left_of_it(judge_onnx: bytes, twice_onnx: bytes) -> None:
    plain, model = onnx.load_from_string(judge_onnx), onnx.load_from_string(twice_onnx)
    raw = raw_answers(plain)
    assert (mirrored_raw(plain), mirrored_raw(model)) == (None, raw)
    assert serialise(remove_mirror(model)) == judge_onnx == serialise(remove_mirror(plain))
    assert serialise(add_mirror(plain, raw)) == twice_onnx


def test_integers_and_half_precision_ask_twice_and_weigh_no_more(
    twice_onnx: bytes, judge_onnx: bytes, pictures: np.ndarray
) -> None:
    for made, once in (
        (quantise(twice_onnx, pictures, "x86-vnni"), quantise(judge_onnx, pictures, "x86-vnni")),
        (halve(twice_onnx), halve(judge_onnx)),
    ):
        assert serialise(remove_mirror(onnx.load_from_string(made))) == once
        assert len(made) < len(once) + 2000
        both = (logits(run(once, pictures)) + logits(run(once, pictures[:, :, ::-1]))) / 2
        np.testing.assert_allclose(logits(run(made, pictures)), both, atol=2e-2)


@pytest.fixture(scope="module")
def embedder_twice(embedder: nn.Module) -> nn.Module:
    return asking_twice(embedder)


def test_a_recogniser_goes_by_the_mean_of_its_raw_embeddings(
    embedder_twice: nn.Module, embedder_onnx: bytes, pictures: np.ndarray
) -> None:
    model = export(embedder_twice, Task.RECOGNITION, SIZE)
    found = run(model, pictures)
    np.testing.assert_allclose(found, by_torch(embedder_twice, Task.RECOGNITION, pictures), atol=1e-5)
    assert np.abs(found - run(embedder_onnx, pictures)).max() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found, run(model, pictures[:, :, ::-1]), atol=1e-6)
    assert serialise(remove_mirror(onnx.load_from_string(model))) == embedder_onnx


def test_a_recogniser_moved_to_a_site_asks_twice_in_integers_too(
    embedder_twice: nn.Module, pictures: np.ndarray
) -> None:
    model = export(embedder_twice, Task.RECOGNITION, SIZE)
    size = onnx.load_from_string(model).graph.output[0].type.tensor_type.shape.dim[1].dim_value
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))[0]
    moved = append_shift(model, Shift(np.full(size, 0.02), turned))
    for small in (quantise(moved, pictures, "x86-vnni"), halve(moved)):
        assert mirrored_raw(onnx.load_from_string(small)) == mirrored_raw(onnx.load_from_string(model))
        cosines = (run(small, pictures) * run(moved, pictures)).sum(1)
        assert cosines.min() > 0.98


def test_work_is_counted_twice_and_weights_once(twice_onnx: bytes, judge_onnx: bytes) -> None:
    once, both = layer_costs(judge_onnx), layer_costs(twice_onnx)
    assert sum(layer.macs for layer in both) == 2 * sum(layer.macs for layer in once)
    assert sum(layer.parameters for layer in both) == sum(layer.parameters for layer in once)


def test_the_first_convolutions_of_the_spoof_network_stay_packed() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (4, 160, 160, 3), np.uint8)
    network = build_network(1.0, 160, mirrored=True)
    network(torch.from_numpy(normalised(crops)))  # in training: batch normalisation gets something to fold
    model = quantise(export(network.eval(), Task.SPOOF, 160), crops, "x86-vnni")
    assert any("/packed" in tensor.name for tensor in onnx.load_from_string(model).graph.initializer)
    assert run(model, crops).shape == (4, 2)

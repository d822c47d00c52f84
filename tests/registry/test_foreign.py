"""Models from elsewhere: their preprocessing moves inside, their weights become plain."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.registry.foreign import import_model, makers_answers, noise
from facegate.registry.foreign_spec import ForeignSpec
from facegate.registry.recipes import MINIFASNET_V2, SFACE
from facegate.runtime.session import Session
from facegate.sources.dequantise import dequantise

SIZE = 8
WEIGHTS = np.arange(SIZE * SIZE * 3 * 5, dtype=np.float32).reshape(-1, 5) % 7 - 3


def network(width: int = 5, weights: np.ndarray = WEIGHTS) -> onnx.ModelProto:
    """Flattened picture (NCHW) times a matrix; weights are listed as an input too, as old exporters do."""
    nodes = [
        helper.make_node("Flatten", ["data"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["fc1"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [
            helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, SIZE, SIZE]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, list(weights.shape)),
        ],
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, width])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def spec(**changes: object) -> ForeignSpec:
    return SFACE.model_copy(update={"size": SIZE, **changes})


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_the_answer_is_that_of_the_makers_own_preprocessing(tmp_path: Path, colour: str) -> None:
    mean, scale = (10.0, 20.0, 30.0), (0.5, 0.25, 2.0)
    bundle = import_model(
        network().SerializeToString(), spec(colour=colour, mean=mean, scale=scale), tmp_path / "bundle"
    )
    picture = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    own = picture[..., ::-1] if colour == "BGR" else picture
    own = ((own - np.array(mean)) * np.array(scale)).transpose(0, 3, 1, 2).reshape(3, -1)
    expected = own @ WEIGHTS
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = Session(bundle, check_golden=True).run(picture)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_logits_become_probabilities_and_classes_have_names(tmp_path: Path) -> None:
    small = network(3, WEIGHTS[:, :3] / 1e4)
    bundle = import_model(
        small.SerializeToString(), MINIFASNET_V2.model_copy(update={"size": SIZE}), tmp_path / "bundle"
    )
    assert bundle.contract.classes == ("attack_2d", "attack_3d", "bona_fide")  # live is class 1 of theirs
    own = makers_answers(
        small.SerializeToString(), MINIFASNET_V2.model_copy(update={"size": SIZE}), noise(SIZE)
    )
    logits = (
        noise(SIZE)[..., ::-1].astype(np.float64).transpose(0, 3, 1, 2).reshape(4, -1) @ WEIGHTS[:, :3] / 1e4
    )
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(own, expected[:, [0, 2, 1]], atol=1e-5)
    np.testing.assert_allclose(bundle.golden.outputs, own, atol=1e-5)
    assert bundle.contract.task is Task.SPOOF
    np.testing.assert_allclose(bundle.golden.outputs.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("block", [0, 2, 64])
def test_blocked_weights_become_plain(block: int) -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(-127, 128, (6, 64, 4), dtype=np.int8)
    scales = rng.random((6, -(-64 // block), 4)) if block else rng.random(64)
    scales = scales.astype(np.float32)
    spread = np.repeat(scales, block, 1)[:, :64] if block else scales[None, :, None]
    expected = (values * spread).reshape(-1, 4)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["real"], axis=1, block_size=block),
        helper.make_node("Reshape", ["real", "shape"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 384])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [
            numpy_helper.from_array(values, "q"),
            numpy_helper.from_array(scales, "s"),
            numpy_helper.from_array(np.array([384, 4], np.int64), "shape"),
        ],
    )
    plain = dequantise(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]))
    assert [node.op_type for node in plain.graph.node] == ["MatMul"]
    (weights,) = (numpy_helper.to_array(tensor) for tensor in plain.graph.initializer)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="not an ONNX file"):
        import_model(b"\xff\xff picture", spec(), tmp_path / "a")
    with pytest.raises(RegistryError, match="does not run"):
        import_model(network().SerializeToString(), spec(size=16), tmp_path / "b")
    two = MINIFASNET_V2.model_copy(update={"size": SIZE})
    with pytest.raises(RegistryError, match="`classes` names 3"):
        import_model(network().SerializeToString(), two, tmp_path / "c")
    assert not list(tmp_path.iterdir())

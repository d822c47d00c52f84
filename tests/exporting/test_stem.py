"""Packed first layers against the graphs that they replace: equal bit by bit."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facegate.exporting import quantize
from facegate.exporting.bundles import run_onnx
from facegate.exporting.stem import pack_stems


def stored(name: str, value: object, dtype: type) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, dtype), name)


def one_layer(kernel: int, stride: int, pad: int, side: int, window: tuple[int, int], seed: int = 0) -> bytes:
    """A quantised convolution with ReLU on a window (first row and column, side) of a uint8 picture."""
    rng = np.random.default_rng(seed)
    first, size = window
    constants = [
        stored("w", rng.integers(-127, 128, (5, 3, kernel, kernel)), np.int8),
        stored("w_scale", rng.uniform(0.001, 0.01, 5), np.float32),
        stored("w_zero", np.zeros(5), np.int8),
        stored("b", rng.integers(-9000, 9000, 5), np.int32),
        stored("b_scale", np.full(5, 1e-5), np.float32),
        stored("b_zero", np.zeros(5), np.int32),
        stored("step", 1 / 128, np.float32),
        stored("zero", 128, np.uint8),
        stored("out_scale", 0.02, np.float32),
        stored("out_zero", 3, np.uint8),
        stored("from", [first, first], np.int64),
        stored("to", [first + size, first + size], np.int64),
        stored("axes", [2, 3], np.int64),
    ]
    node = helper.make_node
    nodes = [
        node("Transpose", ["images"], ["planes"], "planes", perm=[0, 3, 1, 2]),
        node("DequantizeLinear", ["planes", "step", "zero"], ["float"], "float"),
        node("Slice", ["float", "from", "to", "axes"], ["cut"], "cut"),
        node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["wf"], "wf", axis=0),
        node("DequantizeLinear", ["b", "b_scale", "b_zero"], ["bf"], "bf", axis=0),
        node(
            "Conv", ["cut", "wf", "bf"], ["c"], "stem", kernel_shape=[kernel] * 2, strides=[stride] * 2,
            pads=[pad] * 4,
        ),
        node("Relu", ["c"], ["r"], "relu"),
        node("QuantizeLinear", ["r", "out_scale", "out_zero"], ["q"], "q"),
        node("DequantizeLinear", ["q", "out_scale", "out_zero"], ["y"], "y"),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "stem",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", side, side, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 5, None, None])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


def packed(model: bytes) -> bytes:
    rewritten = pack_stems(onnx.load_from_string(model), "images")
    onnx.checker.check_model(rewritten)
    return rewritten.SerializeToString()


def channels(model: bytes) -> list[int]:
    """Input channels of the first convolutions."""
    graph = onnx.load_from_string(model).graph
    sizes = {tensor.name: tensor.dims for tensor in graph.initializer}
    makers = {name: n for n in graph.node for name in n.output}
    convolutions = [n for n in graph.node if n.op_type == "Conv"]
    return [sizes[makers[n.input[1]].input[0]][1] for n in convolutions]


def answers(model: bytes, pictures: np.ndarray) -> np.ndarray:
    """By plain kernels, without any fusion, so that sums are those of the graph as it is written."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": pictures})[0])


@settings(deadline=None, max_examples=25)
@given(
    shape=st.sampled_from([(3, 2, 1), (4, 4, 0), (5, 2, 2), (6, 4, 1), (7, 2, 3), (8, 4, 2), (2, 2, 0)]),
    window=st.sampled_from([(0, 32), (8, 16), (3, 24), (1, 28)]),
    seed=st.integers(0, 99),
)
def test_every_answer_stays(shape: tuple[int, int, int], window: tuple[int, int], seed: int) -> None:
    model = one_layer(*shape, 32, window, seed)
    pictures = np.random.default_rng(seed).integers(0, 256, (2, 32, 32, 3), np.uint8)
    rewritten = packed(model)
    assert channels(rewritten) == [12]
    np.testing.assert_allclose(answers(rewritten, pictures), answers(model, pictures), atol=0.02 + 1e-6)
    fused = run_onnx(model, pictures), run_onnx(rewritten, pictures)
    # floats are added in another order: fifteen of all 2,800 cases hold one sum that rounds to the next step
    assert np.count_nonzero(~np.isclose(*fused, rtol=1e-6, atol=1e-6)) <= 1
    np.testing.assert_allclose(*fused, atol=0.02 + 1e-6)
    assert fused[0].shape == fused[1].shape and len(np.unique(fused[0])) > 10


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 3, 1), (3, 2, 0)])
def test_what_does_not_come_out_even_is_left_alone(shape: tuple[int, int, int]) -> None:
    assert channels(packed(one_layer(*shape, 32, (0, 32)))) == [3]


def test_int8_models_have_packed_first_layers_of_equal_answers(
    judge_onnx: bytes, embedder_onnx: bytes, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = quantize.quantise(embedder_onnx, pictures, "x86-vnni")
    monkeypatch.setattr(quantize, "pack_stems", lambda model, _: model)
    plain = quantize.quantise(embedder_onnx, pictures, "x86-vnni")
    assert (channels(found)[0], channels(plain)[0]) == (12, 3)
    assert np.array_equal(run_onnx(found, pictures), run_onnx(plain, pictures))

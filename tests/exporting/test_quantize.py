import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper

from facegate.exporting.bundles import run_onnx
from facegate.exporting.onnx import remove_picture_input
from facegate.exporting.parity import closeness
from facegate.exporting.quantize import TARGETS, Method, layers, narrow_layers, quantise, sensitivity
from facegate.runtime.processor import Family

MODELS = ["embedder_onnx", "judge_onnx"]


def optimised(model: bytes, tmp_path) -> list[str]:
    """Operator types after ONNX Runtime's own optimisation."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(model, options)
    return [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]


def dequantised_types(model: bytes) -> set[int]:
    """Integer types of constants that are dequantised: of the weights and biases."""
    graph = onnx.load_from_string(model).graph
    constants = {i.name: i.data_type for i in graph.initializer}
    read = [n.input[0] for n in graph.node if n.op_type == "DequantizeLinear"]
    return {constants[name] for name in read if name in constants}


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("name", MODELS)
def test_int8_is_near_fp32(
    name: str, target: Family, pictures: np.ndarray, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name)
    expected, found = run_onnx(model, pictures), run_onnx(quantise(model, pictures, target), pictures)
    assert closeness(expected, found)["cosine_quantiles"]["0"] > 0.98
    assert closeness(expected, found)["mean"] < 0.02


def test_layers_too_narrow_for_integer_kernels_stay_in_floating_point(
    judge_onnx: bytes, embedder_onnx: bytes, pictures: np.ndarray, tmp_path
) -> None:
    """The judge's first convolution sees three channels of a picture that was averaged, and cannot be packed."""
    assert narrow_layers(remove_picture_input(onnx.load_from_string(judge_onnx))) == ["body.1.0"]
    assert narrow_layers(remove_picture_input(onnx.load_from_string(embedder_onnx))) == []
    operators = optimised(quantise(judge_onnx, pictures, "x86-vnni"), tmp_path)
    assert operators.count("Conv") + operators.count("FusedConv") == 1


def test_a_convolution_with_computed_weights_stays_in_floating_point(
    judge_onnx: bytes, pictures: np.ndarray
) -> None:
    model = onnx.load_from_string(judge_onnx)
    conv = [node for node in model.graph.node if node.op_type == "Conv"][-1]
    at = list(model.graph.node).index(conv)
    computed = onnx.helper.make_node("Abs", [conv.input[1]], ["computed"], name="compute")
    conv.input[1] = "computed"
    model.graph.node.insert(at, computed)
    assert conv.name in narrow_layers(remove_picture_input(model))
    found = run_onnx(quantise(model.SerializeToString(), pictures, "x86-vnni"), pictures)
    np.testing.assert_allclose(found, run_onnx(model.SerializeToString(), pictures), atol=0.05)


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_other_calibration_methods_work(method: Method, judge_onnx: bytes, pictures: np.ndarray) -> None:
    found = run_onnx(quantise(judge_onnx, pictures, "x86-vnni", method), pictures)
    np.testing.assert_allclose(found, run_onnx(judge_onnx, pictures), atol=0.05)


@pytest.mark.parametrize(
    ("target", "activation", "largest"),
    [
        ("x86-vnni", TensorProto.UINT8, 127),
        ("x86-avx2", TensorProto.UINT8, 64),
        ("arm64", TensorProto.INT8, 127),
    ],
)
def test_integer_types_of_a_target(
    target: Family, activation: int, largest: int, judge_onnx: bytes, pictures: np.ndarray
) -> None:
    model = quantise(judge_onnx, pictures, target)
    graph = onnx.load_from_string(model).graph
    constants = {i.name: i for i in graph.initializer}
    zeros = [constants[n.input[2]] for n in graph.node if n.op_type == "QuantizeLinear"]
    assert {zero.data_type for zero in zeros} == {activation}
    assert dequantised_types(model) == {TensorProto.INT8, TensorProto.INT32}
    weights = [numpy_helper.to_array(i) for i in graph.initializer if i.data_type == TensorProto.INT8]
    assert max(int(np.abs(w.astype(int)).max()) for w in weights if w.ndim > 1) == largest


def test_weights_have_a_scale_per_channel(judge_onnx: bytes, pictures: np.ndarray) -> None:
    graph = onnx.load_from_string(quantise(judge_onnx, pictures, "x86-vnni")).graph
    shapes = {i.name: list(i.dims) for i in graph.initializer}
    scales = [shapes[n.input[1]] for n in graph.node if len(shapes.get(n.input[0], [])) == 4]
    assert sorted(scales) == [[16], [32]]


def test_uint8_picture_reaches_the_first_convolution_untouched(
    embedder_onnx: bytes, pictures: np.ndarray, tmp_path
) -> None:
    model = quantise(embedder_onnx, pictures, "x86-vnni")
    layers_of_integers = [name for name in optimised(model, tmp_path) if name != "Reshape"]
    assert layers_of_integers[:3] == ["QLinearConv"] * 3
    graph = onnx.load_from_string(model).graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    first = next(n for n in graph.node if n.op_type == "DequantizeLinear" and n.input[0] not in constants)
    assert constants[first.input[1]] == np.float32(1 / 128)
    assert constants[first.input[2]] == 128


def test_same_bytes_again_and_no_machine_in_them(judge_onnx: bytes, pictures: np.ndarray) -> None:
    model = quantise(judge_onnx, pictures, "x86-vnni")
    assert quantise(judge_onnx, pictures, "x86-vnni") == model
    assert b"/tmp" not in model
    assert not onnx.load_from_string(model).metadata_props


def test_a_float_layer_stays_float_in_the_runtime(
    embedder_onnx: bytes, pictures: np.ndarray, tmp_path
) -> None:
    spared = quantise(embedder_onnx, pictures, "x86-vnni", float_layers=["2.0"])
    operators = optimised(spared, tmp_path)
    assert operators.count("Conv") == 1
    assert operators.count("QLinearConv") == 4
    np.testing.assert_allclose(run_onnx(spared, pictures), run_onnx(embedder_onnx, pictures), atol=0.1)


def test_sensitivity_ranks_every_layer(judge_onnx: bytes, pictures: np.ndarray) -> None:
    expected = run_onnx(judge_onnx, pictures)

    def difference(model: bytes) -> float:
        return float(np.abs(run_onnx(model, pictures) - expected).mean())

    ranked = sensitivity(judge_onnx, pictures[:16], "x86-vnni", "minmax", difference)
    assert sorted(name for name, _ in ranked) == sorted(set(layers(judge_onnx)) - {"body.1.0"})
    assert [cost for _, cost in ranked] == sorted((cost for _, cost in ranked), reverse=True)
    whole = difference(quantise(judge_onnx, pictures[:16], "x86-vnni"))
    assert 0 < ranked[-1][1] <= ranked[0][1] < 3 * whole

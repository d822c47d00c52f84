import numpy as np
from onnx import TensorProto, helper, numpy_helper

from facegate.benchmark.cost import layer_costs


def small() -> bytes:
    """3×8×8 → strided 3×3 convolution to 4 channels → depthwise 4×4 → linear to 5."""
    rng = np.random.default_rng(0)
    shapes = {"w1": (4, 3, 3, 3), "b1": (4,), "w2": (4, 1, 4, 4), "w3": (5, 4), "b3": (5,)}
    weights = [
        numpy_helper.from_array(rng.normal(size=s).astype(np.float32), name) for name, s in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], "first", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Conv", ["r", "w2"], ["b"], "second", group=4),
        helper.make_node("Flatten", ["b"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], "third", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 5])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


def test_counts_by_hand() -> None:
    assert layer_costs(small()) == [
        ("first", 4 * 4 * 4 * 3 * 9, 4 * 27 + 4),
        ("second", 4 * 16, 4 * 16),
        ("third", 5 * 4, 5 * 4 + 5),
    ]


def quantised() -> bytes:
    """A convolution whose weights are dequantised from int8."""
    stored = {
        "w": np.ones((2, 3, 1, 1), np.int8),
        "s": np.ones(2, np.float32),
        "z": np.zeros(2, np.int8),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["wd"], axis=0),
        helper.make_node("Conv", ["x", "wd"], ["y"], "only"),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 5, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2, 5, 7])],
        [numpy_helper.from_array(value, name) for name, value in stored.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    ).SerializeToString()


def test_quantised_weights_are_seen_through() -> None:
    assert layer_costs(quantised()) == [("only", 2 * 5 * 7 * 3, 6)]

"""How ONNX Runtime is asked to run: integer sums that are right on every processor."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from facegate.runtime import runners
from facegate.runtime.runners import EXACT_SUMS, session_options

CHANNELS, SIDE = 16, 6
EXPECTED = 200


def largest_sums() -> bytes:
    """A 3 × 3 convolution of 255 by 127 everywhere: two products of these do not fit 16 bits. Its scale makes the exact
    sum :data:`EXPECTED`."""
    weights = np.full((8, CHANNELS, 3, 3), 127, np.int8)
    scale = 255 * 127 * CHANNELS * 9 / EXPECTED
    constants = {
        "xs": np.float32(1), "xz": np.uint8(0), "w": weights, "ws": np.float32(1), "wz": np.int8(0),
        "ys": np.float32(scale), "yz": np.uint8(0),
    }  # fmt: skip
    node = helper.make_node("QLinearConv", ["x", *constants], ["y"], pads=[0, 0, 0, 0])
    shape = ["n", CHANNELS, SIDE, SIDE]
    graph = helper.make_graph(
        [node],
        "sums",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, ["n", 8, SIDE - 2, SIDE - 2])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize("threads", [1, 2])
def test_integer_sums_do_not_overflow_on_any_processor(threads: int) -> None:
    session = ort.InferenceSession(
        largest_sums(), session_options(threads), providers=["CPUExecutionProvider"]
    )
    bright = np.full((2, CHANNELS, SIDE, SIDE), 255, np.uint8)
    assert np.unique(np.asarray(session.run(None, {"x": bright})[0])).tolist() == [EXPECTED]


@pytest.mark.parametrize(("family", "asked"), [("x86-avx2", True), ("x86-vnni", False), ("arm64", False)])
def test_only_processors_without_vnni_take_the_slow_way(
    family: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners.processor, "family", lambda: family)
    options = session_options(1)
    if asked:
        assert options.get_session_config_entry(EXACT_SUMS) == "1"
    else:
        with pytest.raises(RuntimeError, match=EXACT_SUMS):
            options.get_session_config_entry(EXACT_SUMS)

"""How ONNX Runtime is asked to run: integer sums that are right on every processor."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from facegate.runtime import runners
from facegate.runtime.runners import EXACT_SUMS, open_session, session_options

CHANNELS, SIDE = 16, 6
EXPECTED = 200


def largest_sums(times: int = 1) -> bytes:
    """A 3 × 3 convolution of 255 by 127 everywhere, in so many places with the same weights: two products of these do not
    fit 16 bits. Its scale makes the exact sum :data:`EXPECTED`."""
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(0),
        "weights": np.full((8, CHANNELS, 3, 3), 127, np.int8),
        "middle": np.int8(0),
        "scale": np.float32(255 * 127 * CHANNELS * 9 / EXPECTED),
    }
    nodes, outputs = [], []
    for n in range(times):
        nodes += [
            helper.make_node("DequantizeLinear", ["x", "one", "zero"], [f"real{n}"]),
            helper.make_node("DequantizeLinear", ["weights", "one", "middle"], [f"kernel{n}"]),
            helper.make_node("Conv", [f"real{n}", f"kernel{n}"], [f"sum{n}"]),
            helper.make_node("QuantizeLinear", [f"sum{n}", "scale", "zero"], [f"y{n}"]),
        ]
        outputs.append(
            helper.make_tensor_value_info(f"y{n}", TensorProto.UINT8, ["n", 8, SIDE - 2, SIDE - 2])
        )
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", CHANNELS, SIDE, SIDE])],
        outputs,
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize(("threads", "times"), [(1, 1), (2, 1), (1, 2)])
def test_integer_sums_do_not_overflow_on_any_processor(threads: int, times: int) -> None:
    session = open_session(largest_sums(times), session_options(threads))
    bright = np.full((2, CHANNELS, SIDE, SIDE), 255, np.uint8)
    for found in session.run(None, {"x": bright}):
        assert np.unique(np.asarray(found)).tolist() == [EXPECTED]


def test_what_is_no_network_is_told_as_ever() -> None:
    with pytest.raises(Exception, match="protobuf"):
        open_session(b"nothing", session_options(1))


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

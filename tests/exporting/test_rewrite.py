from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from facegate.exporting.rewrite import fold_pooling, without_prelu


@pytest.mark.parametrize("slopes", [1, 6])
def test_prelu_without_its_operator_is_the_same_function(slopes: int) -> None:
    prelu = nn.PReLU(slopes)
    with torch.no_grad():
        prelu.weight.uniform_(-0.5, 1.5)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Sequential(prelu))
    x = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    expected = network(x)
    rewritten = without_prelu(network)
    assert not any(isinstance(m, nn.PReLU) for m in rewritten.modules())
    torch.testing.assert_close(rewritten(x), expected)


def pooled(side: int, kernel: int, stride: int, pad: int, **pool: Any) -> onnx.ModelProto:
    weights = np.random.default_rng(3).normal(size=(4, 3, kernel, kernel)).astype(np.float32)
    given: dict[str, Any] = {"kernel_shape": [side, side], "strides": [side, side], **pool}
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], **given),
        helper.make_node("Conv", ["p", "w"], ["y"], strides=[stride] * 2, pads=[pad] * 4),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 24, 24])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def answers(model: onnx.ModelProto) -> np.ndarray:
    x = np.random.default_rng(4).normal(size=(1, 3, 24, 24)).astype(np.float32)
    (found,) = list(ReferenceEvaluator(model).run(None, {"x": x}))
    return np.asarray(found)


@given(
    side=st.sampled_from([2, 3, 4]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    pad=st.integers(0, 1),
)
def test_folded_pooling_computes_the_same(side: int, kernel: int, stride: int, pad: int) -> None:
    model = pooled(side, kernel, stride, pad)
    expected = answers(model)
    fold_pooling(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    np.testing.assert_allclose(answers(model), expected, atol=2e-5)


@pytest.mark.parametrize("pool", [{"strides": [1, 1]}, {"pads": [1, 1, 1, 1]}, {"ceil_mode": 1}])
def test_overlapping_or_padded_pooling_stays(pool: dict[str, Any]) -> None:
    model = pooled(2, 3, 1, 1, **pool)
    fold_pooling(model.graph)
    assert [node.op_type for node in model.graph.node] == ["AveragePool", "Conv"]

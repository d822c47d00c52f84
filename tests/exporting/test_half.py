import numpy as np
import onnx
import pytest
from onnx import TensorProto

from facegate.exporting.bundles import run_onnx
from facegate.exporting.half import halve


@pytest.mark.parametrize("name", ["embedder_onnx", "judge_onnx"])
def test_half_precision_answers_nearly_the_same(
    name: str, pictures: np.ndarray, request: pytest.FixtureRequest
) -> None:
    model: bytes = request.getfixturevalue(name)
    half = halve(model)
    expected, found = run_onnx(model, pictures), run_onnx(half, pictures)
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert 0 < np.abs(found - expected).max() < 5e-3
    weights = [i for i in onnx.load_from_string(half).graph.initializer if i.name.endswith(".weight")]
    assert weights and {tensor.data_type for tensor in weights} == {TensorProto.FLOAT16}
    assert onnx.load_from_string(half).graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8


def test_equal_models_give_equal_bytes(embedder_onnx: bytes) -> None:
    assert halve(embedder_onnx) == halve(embedder_onnx)

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from facegate.errors import SourceError
from facegate.models.recognition import teacher as module
from facegate.models.recognition.teacher import Teacher, chain

RNG = np.random.default_rng(0)


def tensor(name, *shape, positive=False):
    values = RNG.normal(0, 0.4, shape)
    return numpy_helper.from_array((np.abs(values) + 0.5 if positive else values).astype(np.float32), name)


def norm(name, source, channels):
    names = [f"{name}_{part}" for part in ("scale", "shift", "mean", "var")]
    weights = [tensor(part, channels, positive=part.endswith(("scale", "var"))) for part in names]
    return helper.make_node("BatchNormalization", [source, *names], [name], epsilon=2e-5), weights


def small_teacher(path, extra=()):
    """All operators of the teachers that are known, at 112 pixels and a few channels."""
    first, first_weights = norm("n1", "c1", 6)
    last, last_weights = norm("out", "g", 16)
    nodes = [
        helper.make_node("Sub", ["data", "mean"], ["s"]),
        helper.make_node("Mul", ["s", "scale"], ["m"]),
        helper.make_node("Conv", ["m", "w1"], ["c1"], strides=[4, 4], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        first,
        helper.make_node("PRelu", ["n1", "slope"], ["p1"]),
        helper.make_node("Conv", ["p1", "w2", "b2"], ["c2"], strides=[7, 7], group=6, kernel_shape=[7, 7]),
        helper.make_node("Dropout", ["c2"], ["d"]),
        helper.make_node("Flatten", ["d"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["g"], transB=1),
        last,
        *extra,
    ]
    weights = [
        numpy_helper.from_array(np.array(127.5, np.float32), "mean"),
        numpy_helper.from_array(np.array(1 / 128, np.float32), "scale"),
        tensor("w1", 6, 3, 3, 3),
        tensor("slope", 6, 1, 1),
        tensor("w2", 6, 1, 7, 7),
        tensor("b2", 6),
        tensor("w3", 16, 96),
        tensor("b3", 16),
        *first_weights,
        *last_weights,
    ]
    output = extra[-1].output[0] if extra else "out"
    graph = helper.make_graph(
        nodes,
        "teacher",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 16])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return model


@pytest.fixture
def faces():
    return np.random.default_rng(1).integers(0, 256, (19, 112, 112, 3), np.uint8)


def test_the_chain_answers_as_onnx_runtime_does(tmp_path, faces):
    model = small_teacher(tmp_path / "t.onnx")
    layers = chain(model)
    assert layers is not None
    pictures = faces.transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        mine = layers(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(mine, module._by_runtime(model)(pictures), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("bf16", [False, True])
def test_a_teacher_answers_in_unit_length_close_to_fp32(tmp_path, faces, bf16, monkeypatch):
    monkeypatch.setattr(module, "has_bf16", lambda: bf16)
    model = small_teacher(tmp_path / "t.onnx")
    given = Teacher(tmp_path / "t.onnx")(faces)
    exact = module._by_runtime(model)(faces.transpose(0, 3, 1, 2).astype(np.float32))
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, rtol=1e-5)
    assert (given * exact).sum(1).min() > 0.999


def test_any_other_graph_runs_as_it_is(tmp_path, faces):
    model = small_teacher(tmp_path / "t.onnx", extra=[helper.make_node("Tanh", ["out"], ["y"])])
    assert chain(model) is None
    assert Teacher(tmp_path / "t.onnx")(faces[:3]).shape == (3, 16)


@pytest.mark.parametrize("content", [None, b"no network"])
def test_a_missing_or_broken_file_is_named(tmp_path, content):
    path = tmp_path / "teacher.onnx"
    if content:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=r"teacher\.onnx: no readable ONNX network"):
        Teacher(path)

import hashlib
import re

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import nn

from facegate.contracts import Task
from facegate.exporting.calibration_set import normalised
from facegate.exporting.onnx import OPSET, export, remove_picture_input, serialise, with_head
from facegate.runtime.runners import session_options

SIZE = 32


def run(model: bytes, tensor: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model, session_options(1), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": tensor})[0])


def by_torch(network: nn.Module, task: Task, pictures: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return with_head(network, task)(torch.from_numpy(normalised(pictures))).numpy()


@pytest.mark.parametrize(("name", "task"), [("embedder", Task.RECOGNITION), ("judge", Task.SPOOF)])
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_export_equals_the_network_at_any_batch(
    name: str, task: Task, batch: int, pictures: np.ndarray, request: pytest.FixtureRequest
) -> None:
    network, model = request.getfixturevalue(name), request.getfixturevalue(f"{name}_onnx")
    found = run(model, pictures[:batch])
    np.testing.assert_allclose(found, by_torch(network, task, pictures[:batch]), atol=1e-5)


def test_export_of_a_real_picture_range_hits_the_ends(embedder: nn.Module, embedder_onnx: bytes) -> None:
    ends = np.stack([np.zeros((SIZE, SIZE, 3)), np.full((SIZE, SIZE, 3), 255)]).astype(np.uint8)
    expected = by_torch(embedder, Task.RECOGNITION, ends)
    np.testing.assert_allclose(run(embedder_onnx, ends), expected, atol=1e-5)


def test_outputs_are_normalised(embedder_onnx: bytes, judge_onnx: bytes, pictures: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(run(embedder_onnx, pictures), axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(run(judge_onnx, pictures).sum(1), 1, atol=1e-6)


def test_graph_takes_the_picture_and_names_its_tensors(embedder_onnx: bytes, judge_onnx: bytes) -> None:
    for model, output in ((embedder_onnx, "embedding"), (judge_onnx, "probabilities")):
        session = ort.InferenceSession(model)
        (given,), (answered,) = session.get_inputs(), session.get_outputs()
        assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", 32, 32, 3])
        assert (answered.name, answered.type) == (output, "tensor(float)")
        assert [(o.domain, o.version) for o in onnx.load_from_string(model).opset_import] == [("", OPSET)]


def test_variant_without_preprocessing_takes_normalised_planes(
    embedder: nn.Module, embedder_onnx: bytes, pictures: np.ndarray
) -> None:
    bare = export(embedder, Task.RECOGNITION, SIZE, in_graph=False)
    assert serialise(remove_picture_input(onnx.load_from_string(embedder_onnx))) == bare
    assert ort.InferenceSession(bare).get_inputs()[0].shape == ["batch", 3, 32, 32]
    np.testing.assert_array_equal(run(bare, normalised(pictures)), run(embedder_onnx, pictures))


def test_export_again_gives_the_same_bytes(embedder: nn.Module, embedder_onnx: bytes) -> None:
    assert export(embedder, Task.RECOGNITION, SIZE) == embedder_onnx


def test_export_leaves_the_network_as_it_was(judge: nn.Module, judge_onnx: bytes) -> None:
    judge.train()
    try:
        before = hashlib.sha256(b"".join(v.numpy().tobytes() for v in judge.state_dict().values())).digest()
        assert export(judge, Task.SPOOF, SIZE) == judge_onnx
        after = hashlib.sha256(b"".join(v.numpy().tobytes() for v in judge.state_dict().values())).digest()
        assert judge.training
        assert before == after
    finally:
        judge.eval()


def test_file_tells_nothing_of_the_machine(embedder_onnx: bytes, judge_onnx: bytes) -> None:
    for model in (embedder_onnx, judge_onnx):
        assert not re.search(rb"/src/|/home/|/root/|/Users/|site-packages|\.py\b|File \"", model)
        proto = onnx.load_from_string(model)
        assert not proto.metadata_props
        assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)


def test_layers_are_named_after_their_weights(embedder_onnx: bytes) -> None:
    names = [n.name for n in onnx.load_from_string(embedder_onnx).graph.node if n.op_type in ("Conv", "Gemm")]
    assert names == ["0.0", "1.first.0", "1.second.0", "2.0", "3", "6"]

"""Two tiny but real ONNX models, with contracts that fit them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from facegate.contracts import (
    Calibration,
    InputSpec,
    ModelContract,
    OperatingPoint,
    OutputSpec,
    Quantisation,
    Rate,
    Split,
    Task,
    TrainingData,
)
from facegate.runtime.bundle import Bundle

OPSET = 18
BundleMaker = Callable[..., Bundle]
MEANS: dict[Task, tuple[Any, Any]] = {
    Task.RECOGNITION: ("embedding", "same_person"),
    Task.SPOOF: ("probabilities", "bona_fide"),
}


def make_model(
    task: Task = Task.RECOGNITION,
    size: int = 16,
    layout: str = "NHWC",
    in_graph: bool = True,
    dtype: int = TensorProto.UINT8,
    batch: int | str = "batch",
) -> bytes:
    """Cast → (x - 128) / 128 → 4×4 average → linear → unit length or softmax."""
    outputs = 8 if task is Task.RECOGNITION else 2
    cells = 3 * (size // 4) ** 2
    rng = np.random.default_rng(11)
    weights = {
        "mean": np.float32(128),
        "scale": np.float32(1 / 128),
        "w": rng.normal(size=(cells, outputs)).astype(np.float32),
    }
    nodes = [helper.make_node("Cast", ["images"], ["x0"], to=TensorProto.FLOAT)]
    at = "x0"
    if in_graph:
        nodes += [
            helper.make_node("Sub", ["x0", "mean"], ["x1"]),
            helper.make_node("Mul", ["x1", "scale"], ["x2"]),
        ]
        at = "x2"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [at], ["x3"], perm=[0, 3, 1, 2]))
        at = "x3"
    name = MEANS[task][0]
    last = "LpNormalization" if task is Task.RECOGNITION else "Softmax"
    nodes += [
        helper.make_node("AveragePool", [at], ["x4"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["x4"], ["x5"]),
        helper.make_node("MatMul", ["x5", "w"], ["x6"]),
        helper.make_node(last, ["x6"], [name], axis=-1),
    ]
    shape = [batch, size, size, 3] if layout == "NHWC" else [batch, 3, size, size]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", dtype, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, outputs])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def make_contract(task: Task = Task.RECOGNITION, size: int = 16, **changes: Any) -> ModelContract:
    kind, higher = MEANS[task]
    recognition = task is Task.RECOGNITION
    rate = Rate(value=0.001, errors=1, trials=1000, low=0.0, high=0.006)
    point = OperatingPoint(
        threshold=0.5, metric="FMR", target=0.001, measured=rate, dataset="rendered", split=Split.VAL
    )
    values: dict[str, Any] = {
        "name": f"tiny-{task}",
        "task": task,
        "classes": () if recognition else ("attack", "bona_fide"),
        "input": InputSpec(
            name="images",
            layout="NHWC",
            dtype="uint8",
            height=size,
            width=size,
            colour="RGB",
            in_graph=True,
            mean=(128, 128, 128),
            scale=(1 / 128, 1 / 128, 1 / 128),
            crop="aligned" if recognition else "context",
            crop_factor=1 if recognition else 2,
            template="arcface-112" if recognition else "none",
        ),
        "output": OutputSpec(
            name=kind, kind=kind, size=8 if recognition else 2, normalised=True, higher_is=higher
        ),
        "quantisation": Quantisation(calibration_digest=""),
        "calibration": Calibration(kind="logistic", slope=10, offset=-5, dataset="rendered"),
        "operating_points": {"fmr_1e-3" if recognition else "bpcer_5": point},
        "training_data": (
            TrainingData(name="rendered", licence="CC0", commercial_use=True, digest="0" * 64),
        ),
        "synthetic_only": True,
        "opset": OPSET,
        "git_commit": "0123456",
        "params_digest": "1" * 64,
        "data_digests": {"data/crops": "2" * 64},
        "model_sha256": "",
    }
    return ModelContract(**{**values, **changes})


def reference(images: NDArray[np.uint8], task: Task = Task.RECOGNITION) -> NDArray[np.float32]:
    """What the tiny model answers, computed without ONNX."""
    n, size = len(images), images.shape[1]
    cells = 3 * (size // 4) ** 2
    x = (images.astype(np.float64) - 128) / 128
    x = x.reshape(n, size // 4, 4, size // 4, 4, 3).mean((2, 4)).transpose(0, 3, 1, 2).reshape(n, cells)
    outputs = 8 if task is Task.RECOGNITION else 2
    x = x @ np.random.default_rng(11).normal(size=(cells, outputs)).astype(np.float32)
    if task is Task.RECOGNITION:
        return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)).astype(np.float32)


def pictures(n: int, size: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)

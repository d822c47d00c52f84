"""Bundles whose networks tell the rows of small_sets apart: a 4 × 4 thumbnail, and brightness."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from facegate.contracts import (
    Calibration,
    InputSpec,
    ModelContract,
    OutputSpec,
    Quantisation,
    Task,
    TrainingData,
)
from facegate.faces.align import TEMPLATE_NAME
from facegate.runtime.bundle import Bundle, load_bundle, write_bundle
from facegate.runtime.session import Session

SIDE, OPSET = 32, 18


def network(task: Task, jitter: float) -> bytes:
    """Cast → minus 128 → 8 × 8 average → weights → unit length or softmax; jitter stands in for quantisation."""
    rng = np.random.default_rng(0)
    if task is Task.RECOGNITION:
        weights, last, name = np.eye(48), "LpNormalization", "embedding"
        weights += rng.normal(0, jitter, weights.shape)
    else:
        weights, last, name = (
            np.tile([[-1.0, 1.0]], (48, 1)) / 960 + rng.normal(0, jitter / 960, (48, 2)),
            "Softmax",
            "probabilities",
        )
    constants = {"mean": np.float32(125), "w": weights.astype(np.float32)}
    nodes = [
        helper.make_node("Cast", ["images"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["a", "mean"], ["b"]),
        helper.make_node("Transpose", ["b"], ["c"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["c"], ["d"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("MatMul", ["e", "w"], ["f"]),
        helper.make_node(last, ["f"], [name], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", weights.shape[1]])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def contract(task: Task, target: Any) -> ModelContract:
    recognition = task is Task.RECOGNITION
    kind = "embedding" if recognition else "probabilities"
    return ModelContract(
        name=f"facegate-{task}",
        task=task,
        classes=() if recognition else ("attack", "bona_fide"),
        input=InputSpec(
            name="images",
            layout="NHWC",
            dtype="uint8",
            height=SIDE,
            width=SIDE,
            colour="RGB",
            in_graph=True,
            mean=(125, 125, 125),
            scale=(1, 1, 1),
            crop="aligned" if recognition else "context",
            crop_factor=1 if recognition else 2,
            template=TEMPLATE_NAME if recognition else "none",
        ),
        output=OutputSpec(
            name=kind,
            kind=kind,
            size=48 if recognition else 2,
            normalised=True,
            higher_is="same_person" if recognition else "bona_fide",
        ),
        quantisation=Quantisation(
            target=target, method="none" if target == "fp32" else "minmax", calibration_digest=""
        ),
        calibration=Calibration(),
        operating_points={},
        training_data=(
            TrainingData(name="synthetic", licence="CC0-1.0", commercial_use=True, digest="0" * 64),
        ),
        synthetic_only=True,
        opset=OPSET,
        git_commit="0123456789abcdef0123456789abcdef01234567",
        params_digest="1" * 64,
        data_digests={f"data/crops/{task}": "2" * 64},
        model_sha256="",
    )


def write_small_bundle(folder, task: Task, target: str = "fp32", jitter: float = 0.0) -> Bundle:
    golden = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    size = 48 if task is Task.RECOGNITION else 2
    blank = write_bundle(
        folder, network(task, jitter), contract(task, target), golden, np.zeros((2, size), np.float32)
    )
    answers = Session(blank).run(golden)
    write_bundle(folder, blank.model, blank.contract, golden, answers)
    return load_bundle(folder)

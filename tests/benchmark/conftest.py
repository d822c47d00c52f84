"""A bundle made by hand: one convolution and a mean, no training and no exporter."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
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
from facegate.runtime.bundle import write_bundle

SIDE = 16


def demo_model(outputs: int = 8) -> bytes:
    weights = np.random.default_rng(0).normal(0, 0.2, (outputs, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", ["planes", "scale", "zero"], ["x"]),
        helper.make_node("Conv", ["x", "w"], ["c"], "only"),
        helper.make_node("ReduceMean", ["c", "axes"], ["m"], keepdims=0),
        helper.make_node("LpNormalization", ["m"], ["embedding"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "demo",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", outputs])],
        [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(np.array(1 / 128, np.float32), "scale"),
            numpy_helper.from_array(np.array(128, np.uint8), "zero"),
            numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def demo_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a recognition bundle with embeddings of 8 numbers."""
    model = demo_model()
    contract = ModelContract(
        name="demo",
        task=Task.RECOGNITION,
        classes=(),
        input=InputSpec(
            name="images",
            layout="NHWC",
            dtype="uint8",
            height=SIDE,
            width=SIDE,
            colour="RGB",
            in_graph=True,
            mean=(128, 128, 128),
            scale=(1 / 128, 1 / 128, 1 / 128),
            crop="aligned",
            crop_factor=1.0,
            template=TEMPLATE_NAME,
        ),
        output=OutputSpec(
            name="embedding", kind="embedding", size=8, normalised=True, higher_is="same_person"
        ),
        quantisation=Quantisation(calibration_digest=""),
        calibration=Calibration(dataset=""),
        operating_points={},
        training_data=(
            TrainingData(name="synthetic", licence="Apache-2.0", commercial_use=True, digest="0" * 64),
        ),
        synthetic_only=True,
        opset=20,
        git_commit="unknown",
        params_digest="0" * 64,
        data_digests={},
        model_sha256="",
    )
    pictures = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    (answers,) = ort.InferenceSession(model).run(None, {"images": pictures})
    folder = tmp_path_factory.mktemp("bundles") / "fp32"
    write_bundle(folder, model, contract, pictures, np.asarray(answers))
    return folder

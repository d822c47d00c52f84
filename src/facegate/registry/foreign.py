"""Models from elsewhere: any ONNX recogniser or spoof model becomes a bundle like our own.

What its makers expect of a picture (colour order, mean, scale, layout) moves into the graph, and its answer is
brought to ours (unit length, or probabilities). From there it is evaluated, quantised, measured and gated by the
same code as a model that was trained here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from pydantic import Field

from facegate.contracts import (
    Calibration,
    Frozen,
    InputSpec,
    ModelContract,
    OutputSpec,
    Quantisation,
    Task,
    TrainingData,
)
from facegate.errors import RegistryError
from facegate.faces.align import TEMPLATE_NAME
from facegate.registry.provenance import git_state
from facegate.runtime.bundle import Bundle, write_bundle
from facegate.sources.dequantise import dequantise

GOLDEN_PICTURES = 4


class ForeignSpec(Frozen):
    """What must be known of a model from elsewhere; the JSON file behind ``--contract``.

    Attributes:
        name: short name, for aliases and folders.
        task: what it answers.
        size: side of its square input, pixels.
        colour: order of its input channels.
        mean: subtracted from 0 to 255, per channel of its own order.
        scale: multiplied afterwards.
        activation: ``softmax`` if it answers logits, ``none`` if it answers probabilities or an embedding.
        classes: names by the order of its outputs; one must be ``bona_fide`` for spoof models.
        crop_factor: side of its context crop / larger side of the face box; 1 for aligned faces.
        training_data: what it was trained on and under which terms, its own licence first.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    task: Literal[Task.RECOGNITION, Task.SPOOF]
    size: int = Field(gt=0, le=512)
    colour: Literal["RGB", "BGR"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    activation: Literal["none", "softmax"] = "none"
    classes: tuple[str, ...] = ()
    crop_factor: float = Field(default=1.0, ge=1)
    training_data: tuple[TrainingData, ...] = Field(min_length=1)


SFACE = ForeignSpec(
    name="sface",
    task=Task.RECOGNITION,
    size=112,
    colour="RGB",
    training_data=(
        TrainingData(
            name="SFace 2021dec (OpenCV Zoo)",
            licence="Apache-2.0 (weights; trained on research-only pictures)",
            commercial_use=False,
            digest="",
            role="initial_weights",
        ),
    ),
)
"""The zoo's model subtracts and scales within its graph: it takes 0 to 255."""

MINIFASNET_V2 = ForeignSpec(
    name="minifasnet-v2",
    task=Task.SPOOF,
    size=80,
    colour="BGR",
    activation="softmax",
    classes=("attack_2d", "bona_fide", "attack_3d"),
    crop_factor=2.7,
    training_data=(
        TrainingData(
            name="Silent-Face-Anti-Spoofing MiniFASNetV2 (private pictures)",
            licence="Apache-2.0 (weights)",
            commercial_use=False,
            digest="",
            role="initial_weights",
        ),
    ),
)
"""Takes BGR, 0 to 255, not divided by 255; class 1 is live."""

RECIPES = {spec.name: spec for spec in (SFACE, MINIFASNET_V2)}


def import_model(data: bytes, spec: ForeignSpec, out: Path) -> Bundle:
    """Turn an ONNX file into a bundle, without operating points: evaluation measures those.

    Args:
        data: the ONNX file; block-quantised weights are brought back to fp32.
        spec: what its makers say of it.
        out: folder of the bundle.

    Raises:
        RegistryError: it is no ONNX file, or its tensors are not what the spec says.
    """
    model = dequantise(_opened(data, spec.name))
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 13:
        model, opset = onnx.version_converter.convert_version(model, 13), 13
    wrapped = wrap(model, spec)
    size = _answers(wrapped, _pictures(spec.size, 1), spec).shape[1]
    contract = _contract(spec, size, opset)
    pictures = _pictures(spec.size, GOLDEN_PICTURES)
    return write_bundle(out, wrapped, contract, pictures, _answers(wrapped, pictures, spec))


def wrap(model: onnx.ModelProto, spec: ForeignSpec) -> bytes:
    """Put preprocessing before and normalisation behind a network: uint8 NHWC RGB in, our answer out."""
    graph = model.graph
    given, made = _picture_input(model, spec), _only(graph.output, "output", spec)
    order = [2, 1, 0] if spec.colour == "BGR" else [0, 1, 2]
    shape = (1, 1, 1, 3)
    constants = {
        "facegate_order": np.array(order, np.int64),
        "facegate_mean": np.array(spec.mean, np.float32).reshape(shape),
        "facegate_scale": np.array(spec.scale, np.float32).reshape(shape),
    }
    before = [
        helper.make_node("Cast", ["images"], ["facegate_real"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["facegate_real", "facegate_order"], ["facegate_ordered"], axis=3),
        helper.make_node("Sub", ["facegate_ordered", "facegate_mean"], ["facegate_centred"]),
        helper.make_node("Mul", ["facegate_centred", "facegate_scale"], ["facegate_scaled"]),
        helper.make_node("Transpose", ["facegate_scaled"], [given.name], perm=[0, 3, 1, 2]),
    ]
    answer = "embedding" if spec.task is Task.RECOGNITION else "probabilities"
    if spec.task is Task.RECOGNITION:
        last = helper.make_node("LpNormalization", [made.name], [answer], axis=1, p=2)
    elif spec.activation == "softmax":
        last = helper.make_node("Softmax", [made.name], [answer], axis=1)
    else:
        last = helper.make_node("Identity", [made.name], [answer])
    nodes = [*before, *graph.node, last]
    width = made.type.tensor_type.shape.dim[-1].dim_value or None
    picture = ["batch", spec.size, spec.size, 3]
    wrapped = helper.make_graph(
        nodes,
        spec.name,
        [helper.make_tensor_value_info("images", TensorProto.UINT8, picture)],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, ["batch", width])],
        [*graph.initializer, *(numpy_helper.from_array(value, name) for name, value in constants.items())],
    )
    whole = helper.make_model(
        wrapped, opset_imports=list(model.opset_import), ir_version=max(model.ir_version, 8)
    )
    try:
        onnx.checker.check_model(whole)
    except onnx.checker.ValidationError as error:
        raise RegistryError(f"{spec.name}: {str(error).splitlines()[0]}", "export it to ONNX anew") from error
    return whole.SerializeToString()


def _opened(data: bytes, name: str) -> onnx.ModelProto:
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf's own family of errors
        raise RegistryError(f"{name}: not an ONNX file", "give the path of a .onnx file") from error
    if any(tensor.external_data for tensor in model.graph.initializer):
        raise RegistryError(f"{name}: its weights lie in another file", "save it as a single .onnx file")
    return model


def _picture_input(model: onnx.ModelProto, spec: ForeignSpec) -> onnx.ValueInfoProto:
    """The one input that is used and is no weight; exporters list weights too, even some long gone."""
    weights = {tensor.name for tensor in model.graph.initializer}
    used = {name for node in model.graph.node for name in node.input}
    found = [given for given in model.graph.input if given.name in used - weights]
    return _only(found, "input", spec)


def _only(values: Sequence[onnx.ValueInfoProto], kind: str, spec: ForeignSpec) -> onnx.ValueInfoProto:
    if len(values) != 1:
        names = [value.name for value in values]
        raise RegistryError(
            f"{spec.name}: has {len(values)} {kind}s {names}", f"give a model with one {kind}"
        )
    return values[0]


def _pictures(size: int, count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def _answers(model: bytes, pictures: NDArray[np.uint8], spec: ForeignSpec) -> NDArray[np.float32]:
    try:
        found = InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"images": pictures})[0]
    except Exception as error:  # ONNX Runtime raises its own family, without a common base
        raise RegistryError(
            f"{spec.name}: does not run on {pictures.shape}: {str(error).splitlines()[0]}",
            "compare size, colour and layout with what its makers say",
        ) from error
    answers = np.asarray(found, np.float32)
    if answers.ndim != 2 or (spec.classes and answers.shape[1] != len(spec.classes)):
        raise RegistryError(
            f"{spec.name}: answers {answers.shape}, and `classes` names {len(spec.classes)}",
            "name every class in the order of the outputs",
        )
    return answers


def _contract(spec: ForeignSpec, size: int, opset: int) -> ModelContract:
    recognition = spec.task is Task.RECOGNITION
    return ModelContract(
        name=spec.name,
        task=spec.task,
        classes=spec.classes,
        input=InputSpec(
            name="images", layout="NHWC", dtype="uint8", height=spec.size, width=spec.size, colour="RGB",
            in_graph=True, mean=spec.mean, scale=spec.scale, crop="aligned" if recognition else "context",
            crop_factor=spec.crop_factor, template=TEMPLATE_NAME if recognition else "none",
        ),
        output=OutputSpec(
            name="embedding" if recognition else "probabilities",
            kind="embedding" if recognition else "probabilities",
            size=size, normalised=True, higher_is="same_person" if recognition else "bona_fide",
        ),
        quantisation=Quantisation(calibration_digest=""),
        calibration=Calibration(),
        operating_points={},
        training_data=spec.training_data,
        synthetic_only=True,
        opset=opset,
        git_commit=git_state().commit or "unknown",
        params_digest="",
        data_digests={},
        model_sha256="",
    )  # fmt: skip

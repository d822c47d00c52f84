"""Models from elsewhere: any ONNX recogniser or spoof model becomes a bundle like our own.

What its makers expect of a picture (colour order, mean, scale, layout) moves into the graph, and its answer is
brought to ours (unit length, or probabilities). From there it is evaluated, quantised, measured and gated by the
same code as a model that was trained here.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from pydantic import Field, model_validator

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
from facegate.exporting.onnx import INPUT, MEAN, SCALE, add_picture_input
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

    @model_validator(mode="after")
    def _live_class(self) -> "ForeignSpec":
        if (self.task is Task.SPOOF) != ("bona_fide" in self.classes):
            raise ValueError(
                "`classes` must name `bona_fide` for a spoof model, and nothing for a recogniser"
            )
        return self


class Measured(Frozen):
    """What an imported model is going to be measured on.

    Attributes:
        synthetic_only: all of it was rendered.
        params_digest: SHA-256 of the parameters.
        data_digests: SHA-256 by name.
    """

    synthetic_only: bool = True
    params_digest: str = ""
    data_digests: dict[str, str] = Field(default_factory=dict)


def import_model(
    data: bytes,
    spec: ForeignSpec,
    out: Path,
    pictures: NDArray[np.uint8] | None = None,
    measured: Measured | None = None,
) -> Bundle:
    """Turn an ONNX file into a bundle, without operating points: evaluation measures those.

    Args:
        data: the ONNX file; block-quantised weights are brought back to fp32.
        spec: what its makers say of it.
        out: folder of the bundle.
        pictures: golden pictures, shape (n, size, size, 3); noise by default.
        measured: what its contract shall say of the data it is evaluated on.

    Raises:
        RegistryError: it is no ONNX file, or its tensors are not what the spec says.
    """
    model = _plain(data, spec)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    golden = noise(spec.size) if pictures is None else pictures
    makers_answers(data, spec, golden[:1])
    wrapped = wrap(model, spec)
    answers = run_wrapped(wrapped, golden)
    contract = _contract(
        spec, answers.shape[1], opset, hashlib.sha256(data).hexdigest(), measured or Measured()
    )
    return write_bundle(out, wrapped, contract, golden, answers)


def makers_answers(data: bytes, spec: ForeignSpec, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network itself answers when its makers' preprocessing is done in NumPy, outside the graph.

    It is the other side of the parity proof of :func:`import_model`: nothing of :func:`wrap` is used.

    Args:
        data: the ONNX file.
        spec: what its makers say of it.
        pictures: RGB, shape (n, size, size, 3).

    Returns:
        Unit embeddings, or probabilities with bona fide last, shape (n, size).

    Raises:
        RegistryError: it does not run on such pictures, or has another number of classes.
    """
    model = _plain(data, spec)
    given = _picture_input(model, spec)
    session = _session(model.SerializeToString(), spec.name)
    found = []
    for picture in pictures:
        own = picture[..., ::-1] if spec.colour == "BGR" else picture
        real = (own.astype(np.float32) - np.array(spec.mean, np.float32)) * np.array(spec.scale, np.float32)
        found.append(_run(session, {given.name: real.transpose(2, 0, 1)[None]}, spec.name))
    answers = np.concatenate(found).astype(np.float64)
    if answers.ndim != 2 or (spec.classes and answers.shape[1] != len(spec.classes)):
        raise RegistryError(
            f"{spec.name}: answers {answers.shape}, and `classes` names {len(spec.classes)}",
            "name every class in the order of the outputs",
        )
    if spec.task is Task.RECOGNITION:
        return (answers / np.linalg.norm(answers, axis=1, keepdims=True)).astype(np.float32)
    if spec.activation == "softmax":
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        answers = powers / powers.sum(axis=1, keepdims=True)
    return answers[:, _order(spec)].astype(np.float32)


def wrap(model: onnx.ModelProto, spec: ForeignSpec) -> bytes:
    """Put preprocessing before and normalisation behind a network, in the form that our own exports have.

    The picture comes in as uint8 NHWC RGB and becomes planes of ``(x - 128) / 128``, as in every graph that the
    quantiser knows; from there one multiplication and one addition per channel lead to what the makers expect.
    """
    graph = _folded(model).graph
    given, made = _picture_input(model, spec), _only(graph.output, "output", spec)
    mean, scale = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (spec.mean, spec.scale))
    constants: dict[str, NDArray[np.generic]] = {
        "facegate_gain": scale / np.float32(SCALE),
        "facegate_offset": (np.float32(MEAN) - mean) * scale,
    }
    before = [
        helper.make_node("Mul", ["facegate_ordered", "facegate_gain"], ["facegate_scaled"]),
        helper.make_node("Add", ["facegate_scaled", "facegate_offset"], [given.name]),
    ]
    if spec.colour == "BGR":
        constants["facegate_order"] = np.array([2, 1, 0], np.int64)
        before.insert(0, helper.make_node("Gather", [INPUT, "facegate_order"], ["facegate_ordered"], axis=1))
    else:
        before[0].input[0] = INPUT
    answer, after, more = _answer(made.name, spec)
    nodes = [*before, *graph.node, *after]
    for node in nodes:
        node.name = node.name or node.output[0]  # the quantiser speaks of nodes by name
    weights = [*graph.initializer, *(numpy_helper.from_array(v, n) for n, v in {**constants, **more}.items())]
    width = made.type.tensor_type.shape.dim[-1].dim_value or None
    planes = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 3, spec.size, spec.size])
    out = helper.make_tensor_value_info(answer, TensorProto.FLOAT, ["batch", width])
    whole = helper.make_model(
        helper.make_graph(nodes, spec.name, [planes], [out], weights),
        opset_imports=[o for o in model.opset_import if o.domain in ("", "ai.onnx")],
        ir_version=max(model.ir_version, 8),
    )
    whole = add_picture_input(whole, (spec.size, spec.size))
    try:
        onnx.checker.check_model(whole)
    except onnx.checker.ValidationError as error:
        raise RegistryError(f"{spec.name}: {str(error).splitlines()[0]}", "export it to ONNX anew") from error
    return whole.SerializeToString()


def _answer(made: str, spec: ForeignSpec) -> tuple[str, list[onnx.NodeProto], dict[str, NDArray[np.generic]]]:
    """Name of our output, the nodes that lead to it, and their constants."""
    if spec.task is Task.RECOGNITION:
        return "embedding", [helper.make_node("LpNormalization", [made], ["embedding"], axis=1, p=2)], {}
    probabilities = (
        helper.make_node("Softmax", [made], ["facegate_answer"], axis=1)
        if spec.activation == "softmax"
        else helper.make_node("Identity", [made], ["facegate_answer"])
    )
    order = helper.make_node("Gather", ["facegate_answer", "facegate_classes"], ["probabilities"], axis=1)
    return "probabilities", [probabilities, order], {"facegate_classes": np.array(_order(spec), np.int64)}


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with batch norms inside their convolutions and dropouts gone, for any number of pictures."""
    free = onnx.ModelProto()
    free.CopyFrom(model)
    for value in (free.graph.input[0], free.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        _session(free.SerializeToString(), "the network", options)
        return onnx.load(options.optimized_model_filepath)


def noise(size: int, count: int = GOLDEN_PICTURES) -> NDArray[np.uint8]:
    """Pictures to try a network on where none are at hand, shape (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def _order(spec: ForeignSpec) -> list[int]:
    """Columns of a spoof model's answer, bona fide last, as our own models have it."""
    live = spec.classes.index("bona_fide")
    return [*(i for i in range(len(spec.classes)) if i != live), live]


def _plain(data: bytes, spec: ForeignSpec) -> onnx.ModelProto:
    """The network with fp32 weights and one input, of an operator set that can be quantised later."""
    model = dequantise(_opened(data, spec.name))
    given = _picture_input(model, spec)
    del model.graph.input[:]
    model.graph.input.append(given)
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    return onnx.version_converter.convert_version(model, 13) if opset < 13 else model


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


def run_wrapped(model: bytes, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a wrapped network answers to a batch, shape (n, size).

    Raises:
        RegistryError: it takes one picture at a time only.
    """
    return _run(_session(model, "the wrapped network"), {"images": pictures}, "the wrapped network")


def _session(model: bytes, name: str, options: ort.SessionOptions | None = None) -> ort.InferenceSession:
    options = options or ort.SessionOptions()
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own family, without a common base
        raise RegistryError(
            f"{name}: cannot be opened: {str(error).splitlines()[0]}", "export it to ONNX anew"
        ) from error


def _run(session: ort.InferenceSession, given: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    try:
        return np.asarray(session.run(None, given)[0], np.float32)
    except Exception as error:  # likewise
        shapes = [array.shape for array in given.values()]
        raise RegistryError(
            f"{name}: does not run on {shapes}: {str(error).splitlines()[0]}",
            "compare size, colour and layout with what its makers say",
        ) from error


def _contract(spec: ForeignSpec, size: int, opset: int, digest: str, measured: Measured) -> ModelContract:
    """Contract without operating points; the file that was imported is the first of the training data."""
    own = spec.training_data[0].model_copy(update={"digest": spec.training_data[0].digest or digest})
    recognition = spec.task is Task.RECOGNITION
    return ModelContract(
        name=spec.name,
        task=spec.task,
        classes=() if recognition else tuple(spec.classes[i] for i in _order(spec)),
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
        training_data=(own, *spec.training_data[1:]),
        synthetic_only=measured.synthetic_only,
        opset=opset,
        git_commit=git_state().commit or "unknown",
        params_digest=measured.params_digest,
        data_digests=measured.data_digests,
        model_sha256="",
    )  # fmt: skip

"""A network from elsewhere as a graph of ours: the same input, the same output, names that the quantiser can use."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.exporting.graph import INPUT
from facegate.exporting.onnx import MEAN, SCALE, add_picture_input
from facegate.registry.foreign_spec import ForeignSpec
from facegate.sources.dequantise import dequantise


def wrap(model: onnx.ModelProto, spec: ForeignSpec) -> bytes:
    """Put preprocessing before and normalisation behind a network, in the form that our own exports have.

    The picture comes in as uint8 NHWC RGB and becomes planes of ``(x - 128) / 128``, as in every graph that the
    quantiser knows; from there one multiplication and one addition per channel lead to what the makers expect.
    """
    graph = _folded(model).graph
    given, made = picture_input(model, spec), _only(graph.output, "output", spec)
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
    return (
        "probabilities",
        [probabilities, order],
        {"facegate_classes": np.array(class_order(spec), np.int64)},
    )


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
        open_network(free.SerializeToString(), "the network", options)
        return onnx.load(options.optimized_model_filepath)


def class_order(spec: ForeignSpec) -> list[int]:
    """Columns of a spoof model's answer, bona fide last, as our own models have it."""
    live = spec.classes.index("bona_fide")
    return [*(i for i in range(len(spec.classes)) if i != live), live]


def plain(data: bytes, spec: ForeignSpec) -> onnx.ModelProto:
    """The network with fp32 weights and one input, of an operator set that can be quantised later."""
    model = dequantise(_opened(data, spec.name))
    given = picture_input(model, spec)
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


def picture_input(model: onnx.ModelProto, spec: ForeignSpec) -> onnx.ValueInfoProto:
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
    return run_network(
        open_network(model, "the wrapped network"), {"images": pictures}, "the wrapped network"
    )


def open_network(model: bytes, name: str, options: ort.SessionOptions | None = None) -> ort.InferenceSession:
    """ONNX Runtime on the CPU.

    Raises:
        RegistryError: it cannot be opened.
    """
    settings = options or ort.SessionOptions()
    settings.log_severity_level = 3
    try:
        return ort.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own family, without a common base
        raise RegistryError(
            f"{name}: cannot be opened: {str(error).splitlines()[0]}", "export it to ONNX anew"
        ) from error


def run_network(
    session: ort.InferenceSession, given: dict[str, NDArray[Any]], name: str
) -> NDArray[np.float32]:
    """The first output.

    Raises:
        RegistryError: it does not run on such inputs.
    """
    try:
        return np.asarray(session.run(None, given)[0], np.float32)
    except Exception as error:  # likewise
        shapes = [array.shape for array in given.values()]
        raise RegistryError(
            f"{name}: does not run on {shapes}: {str(error).splitlines()[0]}",
            "compare size, colour and layout with what its makers say",
        ) from error

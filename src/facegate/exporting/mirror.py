"""Ask a network twice, about the picture and about its mirror image, and go by the mean of its raw answers.

Half of what a network gets wrong by chance it gets wrong on one of the two only. Both pass through the same weights in one
batch, and the mirroring is part of the graph, so that every runtime and every caller gets it without knowing.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facegate.exporting.graph import INPUT, copied

_START, _END, _AXIS, _STEP = (f"mirror/{part}" for part in ("start", "end", "axis", "step"))
_IMAGE, _BOTH, _PAIRED, _MEAN, _SHAPE, _FIRST = (
    f"mirror/{part}" for part in ("image", "both", "paired", "mean", "shape", "first")
)
_CONSTANTS = (_START, _END, _AXIS, _STEP, _SHAPE, _FIRST)


def mirrored_raw(model: onnx.ModelProto) -> str | None:
    """Name of the raw answers that a model averages over picture and mirror image; None if it asks once."""
    return next((node.input[0] for node in model.graph.node if node.name == _PAIRED), None)


def raw_answers(model: onnx.ModelProto) -> str:
    """Name of the answers before the head that makes them comparable (softmax, or the division by the length)."""
    answer = model.graph.output[0].name
    return next(node.input[0] for node in model.graph.node if answer in node.output)


def add_mirror(model: onnx.ModelProto, raw: str) -> onnx.ModelProto:
    """A copy of a model that asks twice.

    Args:
        model: its input is the uint8 picture (N, height, width, 3), or normalised planes (N, 3, height, width).
        raw: tensor (N, size) to average, of as many columns as the output.
    """
    model = copied(model)
    graph = model.graph
    columns = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    axis = 2 if graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8 else 3
    at = next(i for i, node in enumerate(graph.node) if raw in node.input)
    instead = {INPUT: _BOTH, raw: _MEAN}
    for node in graph.node:
        node.input[:] = [instead.get(name, name) for name in node.input]
    values = (-1, np.iinfo(np.int64).min + 1, axis, -1, [2, -1, columns], 0)
    for name, value in zip(_CONSTANTS, values, strict=True):
        graph.initializer.append(numpy_helper.from_array(np.atleast_1d(np.array(value, np.int64)), name))
    graph.node.insert(at, helper.make_node("Reshape", [raw, _SHAPE], [_PAIRED], _PAIRED))
    graph.node.insert(at + 1, helper.make_node("ReduceMean", [_PAIRED, _FIRST], [_MEAN], _MEAN, keepdims=0))
    graph.node.insert(0, helper.make_node("Slice", [INPUT, _START, _END, _AXIS, _STEP], [_IMAGE], _IMAGE))
    graph.node.insert(1, helper.make_node("Concat", [INPUT, _IMAGE], [_BOTH], _BOTH, axis=0))
    return model


def remove_mirror(model: onnx.ModelProto) -> onnx.ModelProto:
    """The reverse of :func:`add_mirror`: a copy that asks once; a mere copy of a model that does so anyway."""
    model = copied(model)
    graph = model.graph
    raw = mirrored_raw(model) or ""
    for node in [node for node in graph.node if node.name in (_IMAGE, _BOTH, _PAIRED, _MEAN)]:
        graph.node.remove(node)
    for constant in [tensor for tensor in graph.initializer if tensor.name in _CONSTANTS]:
        graph.initializer.remove(constant)
    instead = {_BOTH: INPUT, _MEAN: raw}
    for node in graph.node:
        node.input[:] = [instead.get(name, name) for name in node.input]
    return model

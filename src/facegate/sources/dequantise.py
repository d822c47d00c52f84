"""Brings block-quantised weights back to fp32.

OpenCV's zoo ships some models with weights in blocks of int8 (``DequantizeLinear`` with ``block_size``), which
ONNX Runtime refuses on the CPU for convolutions. Weights that are constants are computed once here; what remains
is a plain fp32 network.

Standard: ONNX DequantizeLinear-21, blocked dequantisation: ``(x - zero) * scale``, the scale repeated along the axis.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper


def dequantise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with every constant ``DequantizeLinear`` (and a ``Reshape`` behind it) folded."""
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    folded: dict[str, NDArray[np.generic]] = {}
    nodes = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and all(name in weights for name in node.input):
            folded[node.output[0]] = _dequantised([weights[name] for name in node.input], node)
        elif node.op_type == "Reshape" and node.input[0] in folded and node.input[1] in weights:
            folded[node.output[0]] = folded[node.input[0]].reshape(weights[node.input[1]])
        else:
            nodes.append(node)
    if not folded:
        return model
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    made = [numpy_helper.from_array(value, name) for name, value in folded.items() if name in used]
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for field, values in (("node", nodes), ("initializer", [*kept, *made]), ("value_info", [])):
        part = getattr(result.graph, field)
        del part[:]
        part.extend(values)
    return result


def _dequantised(operands: list[NDArray[np.generic]], node: onnx.NodeProto) -> NDArray[np.float32]:
    values = operands[0].astype(np.float32)
    scale = operands[1].astype(np.float32)
    zero = operands[2].astype(np.float32) if len(operands) > 2 else np.zeros_like(scale)
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    axis, block = attributes.get("axis", 1) % max(values.ndim, 1), attributes.get("block_size", 0)
    return (values - _spread(zero, values, axis, block)) * _spread(scale, values, axis, block)


def _spread(
    factor: NDArray[np.float32], like: NDArray[np.float32], axis: int, block: int
) -> NDArray[np.float32]:
    """A scale in the shape of what it scales: per tensor, per channel of an axis, or per block along it."""
    if factor.size == 1:
        return factor.reshape(())
    if block:
        return np.repeat(factor, block, axis).take(np.arange(like.shape[axis]), axis)
    return factor.reshape([-1 if i == axis else 1 for i in range(like.ndim)])

"""What a network costs on paper: multiply-adds and weights, counted in its ONNX graph.

An int8 graph counts as its fp32 original does: the quantise/dequantise pairs are seen through.
"""

import math
from typing import NamedTuple

import onnx
from onnx import shape_inference

_LAYERS = ("Conv", "Gemm", "MatMul")


class Layer(NamedTuple):
    """One layer with weights.

    Attributes:
        name: of its node.
        macs: multiply-adds for one picture.
        parameters: weights and biases.
    """

    name: str
    macs: int
    parameters: int


def layer_costs(model: bytes) -> list[Layer]:
    """Cost of every convolution and matrix product of a serialised model, for one picture."""
    proto = onnx.ModelProto.FromString(model)
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    del proto.graph.value_info[:]
    graph = shape_inference.infer_shapes(proto, data_prop=True).graph
    shapes = {i.name: list(i.dims) for i in graph.initializer}
    for value in (*graph.value_info, *graph.input, *graph.output):
        shapes[value.name] = [d.dim_value for d in value.type.tensor_type.shape.dim]
    constants = {i.name for i in graph.initializer}
    origin = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DequantizeLinear"}
    return [_cost(n, shapes, constants, origin) for n in graph.node if n.op_type in _LAYERS]


def _cost(
    node: onnx.NodeProto, shapes: dict[str, list[int]], constants: set[str], origin: dict[str, str]
) -> Layer:
    stored = [origin.get(name, name) for name in node.input[1:]]
    parameters = sum(math.prod(shapes[name]) for name in stored if name in constants)
    out = [max(side, 1) for side in shapes[node.output[0]]]
    weight = shapes[stored[0]]
    return Layer(node.name, math.prod(out) * _summed(node, weight), parameters)


def _summed(node: onnx.NodeProto, weight: list[int]) -> int:
    """Products that make up one output value."""
    if node.op_type == "Conv":
        return math.prod(weight[1:])
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return weight[-1] if transposed else weight[-2]

"""One ONNX file that takes the picture as it is: preprocessing, network and head in a single graph.

The uint8 picture enters through ``Transpose`` and ``DequantizeLinear`` (scale 1/128, zero point 128), which
computes ``(value - 128) / 128`` exactly. In an int8 graph the very same two nodes hand the picture to the
first convolution without a detour over floating point (:mod:`facegate.exporting.quantize`).

What the exporter knows of the machine that it ran on (source paths, code lines) is removed, so that the same
network gives the same bytes everywhere with the same libraries.
"""

import copy
import logging
from typing import Literal

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from facegate.contracts import Task
from facegate.exporting.graph import INPUT, copied
from facegate.exporting.mirror import add_mirror, raw_answers, remove_mirror
from facegate.exporting.rewrite import without_prelu

OPSET = 20
"""ONNX operator set of every export; ONNX Runtime reads it since 1.17."""
MEAN = 128.0
SCALE = 1.0 / 128.0

Sides = tuple[int, int]
"""Height and width, pixels."""
OutputKind = Literal["embedding", "probabilities"]

_PLANES, _ZERO, _STEP, _FLOAT = (f"{INPUT}/{part}" for part in ("planes", "zero_point", "scale", "float"))


def output_kind(task: Task) -> OutputKind:
    """Name and kind of the graph's output."""
    return "embedding" if task is Task.RECOGNITION else "probabilities"


class _WithHead(nn.Module):
    """The network with what its output needs to be comparable: unit length, or probabilities."""

    def __init__(self, network: nn.Module, kind: OutputKind, mirrored: bool) -> None:
        super().__init__()
        self.network = network
        self.kind = kind
        self.mirrored = mirrored

    def forward(self, x: Tensor) -> Tensor:
        raw = self.network(x)
        if self.mirrored:
            raw = 0.5 * (raw + self.network(x.flip(3)))
        if self.kind == "probabilities":
            return torch.softmax(raw, dim=1)
        return raw * torch.rsqrt((raw * raw).sum(dim=1, keepdim=True).clamp_min(1e-12))


def with_head(network: nn.Module, task: Task) -> nn.Module:
    """A copy of the network in evaluation mode, with normalisation or softmax behind it; asked twice where it is `mirrored`.

    It maps float RGB (N, 3, H, W), ``(value - 128) / 128``, to what the ONNX file returns: parity is measured
    against it.
    """
    return _headed(network, task, is_mirrored(network))


def is_mirrored(network: nn.Module) -> bool:
    """Whether a network goes by the mean of its answers to a picture and its mirror image."""
    return bool(getattr(network, "mirrored", False))


def _headed(network: nn.Module, task: Task, mirrored: bool) -> nn.Module:
    plain = copy.deepcopy(network).cpu().float()
    return _WithHead(without_prelu(plain), output_kind(task), mirrored).eval()


def export(network: nn.Module, task: Task, size: int | Sides, *, in_graph: bool = True) -> bytes:
    """Export a trained network.

    Args:
        network: maps float RGB (N, 3, height, width) to raw embeddings or logits; it is not changed.
        task: decides the head and the output's name (:func:`output_kind`).
        size: side of a square input, or height and width, pixels.
        in_graph: take the uint8 NHWC picture; otherwise float NCHW, already normalised.

    Returns:
        The serialised model: input ``images`` with a dynamic batch, deterministic bytes.
    """
    kind = output_kind(task)
    sides = (size, size) if isinstance(size, int) else size
    batch = torch.export.Dim("batch", min=1, max=4096)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        _headed(network, task, mirrored=False),
        (torch.zeros(2, 3, *sides),),
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=[kind],
        dynamic_shapes=({0: batch},),
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    model = _clean(program.model_proto, f"facegate-{task}")
    model = add_picture_input(model, sides) if in_graph else model
    return serialise(add_mirror(model, raw_answers(model)) if is_mirrored(network) else model)


def serialise(model: onnx.ModelProto) -> bytes:
    """Checked model as bytes; equal models give equal bytes."""
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def add_picture_input(model: onnx.ModelProto, sides: Sides) -> onnx.ModelProto:
    """A copy whose input is the uint8 picture (N, height, width, 3) in place of normalised float planes."""
    model = copied(model)
    graph = model.graph
    _rename(graph, INPUT, _FLOAT)
    _set_input(graph, TensorProto.UINT8, [*sides, 3])
    graph.initializer.append(numpy_helper.from_array(np.array(MEAN, np.uint8), _ZERO))
    graph.initializer.append(numpy_helper.from_array(np.array(SCALE, np.float32), _STEP))
    graph.node.insert(0, helper.make_node("Transpose", [INPUT], [_PLANES], _PLANES, perm=[0, 3, 1, 2]))
    graph.node.insert(1, helper.make_node("DequantizeLinear", [_PLANES, _STEP, _ZERO], [_FLOAT], _FLOAT))
    return model


def remove_picture_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """The reverse of :func:`add_picture_input`: a copy that takes normalised float planes (N, 3, H, W)."""
    model = copied(model)
    graph = model.graph
    sides = picture_sides(model)
    for node in [n for n in graph.node if n.name in (_PLANES, _FLOAT)]:
        graph.node.remove(node)
    for constant in [i for i in graph.initializer if i.name in (_ZERO, _STEP)]:
        graph.initializer.remove(constant)
    _set_input(graph, TensorProto.FLOAT, [3, *sides])
    _rename(graph, _FLOAT, INPUT)
    return model


def network_alone(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of what :func:`export` returned that takes normalised planes, and asks once."""
    return remove_picture_input(remove_mirror(model))


def picture_sides(model: onnx.ModelProto) -> Sides:
    """Height and width of the input picture, pixels; the input is NHWC uint8 or NCHW float."""
    tensor = model.graph.input[0].type.tensor_type
    sides = [axis.dim_value for axis in tensor.shape.dim]
    first = 1 if tensor.elem_type == TensorProto.UINT8 else 2
    return int(sides[first]), int(sides[first + 1])


def _set_input(graph: onnx.GraphProto, dtype: int, shape: list[int]) -> None:
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(INPUT, dtype, ["batch", *shape]))


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def _clean(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Drop traces of the exporting machine; name each layer after its weights."""
    model = copied(model)
    graph = model.graph
    del graph.value_info[:], model.functions[:]
    graph.name = name
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    _name_nodes(graph)
    return model


def _name_nodes(graph: onnx.GraphProto) -> None:
    """Name layers after their weights, activations after their layer, and tensors after what makes them."""
    constants = {i.name for i in graph.initializer}
    kept = {o.name for o in graph.output}
    makers: dict[str, str] = {}
    for index, node in enumerate(graph.node):
        activated = makers.get(node.input[0], "") if node.op_type == "Relu" else ""
        own = f"{activated}/relu" if activated else f"{node.op_type}_{index}"
        node.name = _layer_name(node, constants) or own
        makers[node.output[0]] = node.name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [makers.get(name, name) if name not in kept else name for name in names]


def _layer_name(node: onnx.NodeProto, constants: set[str]) -> str:
    weights = [name for name in node.input if name in constants and name.endswith(".weight")]
    if node.op_type not in ("Conv", "Gemm", "MatMul") or not weights:
        return ""
    return weights[0].removeprefix("network.").removesuffix(".weight")

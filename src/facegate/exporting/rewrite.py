"""Operators that a runtime handles badly, rewritten into equal ones that it handles well.

ONNX Runtime's PReLU has no int8 kernel and a slow fp32 one: on a 112×112 MobileFaceNet it takes more than
half of the time. ``a·x + (1 − a)·relu(x)`` is the same function made of fast operators.

Pooling the three channels of a picture takes longer than a convolution of it: of the spoof network's int8 time
it was a fifth. Means over non-overlapping windows are linear, so that the convolution behind them absorbs them.
"""

from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

_DEFAULTS = {"strides": [1, 1], "pads": [0, 0, 0, 0]}


class SplitPReLU(nn.Module):
    """PReLU without its operator: ``a·x + (1 − a)·relu(x)``, with one slope, or one per channel."""

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.register_buffer("slopes", slopes.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, …) to the same shape."""
        slopes = self.get_buffer("slopes").reshape(1, -1, *([1] * (x.dim() - 2)))
        return slopes * x + (1 - slopes) * torch.relu(x)


def without_prelu(network: nn.Module) -> nn.Module:
    """Replace every PReLU of a network, in place; returns the network."""
    if isinstance(network, nn.PReLU):
        return SplitPReLU(network.weight)
    for name, child in network.named_children():
        setattr(network, name, without_prelu(child))
    return network


def fold_pooling(graph: onnx.GraphProto) -> None:
    """Merge every mean over non-overlapping windows into the convolution that alone reads it, in place.

    Pooling by ``p`` and a ``k``×``k`` convolution of stride ``s`` and padding ``d`` equal one convolution of
    kernel ``p·k``, stride ``p·s`` and padding ``p·d``, whose weights are repeated and divided by ``p²``.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for pool in [node for node in graph.node if node.op_type == "AveragePool"]:
        side = _window(pool)
        users = [node for node in graph.node if pool.output[0] in node.input]
        if not side or len(users) != 1 or users[0].op_type != "Conv" or not _plain(users[0]):
            continue
        conv = users[0]
        kernel = numpy_helper.to_array(weights[conv.input[1]])
        wide = kernel.repeat(side, axis=2).repeat(side, axis=3) / np.float32(side * side)
        weights[conv.input[1]].CopyFrom(numpy_helper.from_array(wide, conv.input[1]))
        _stretch(conv, side, wide.shape[2:])
        conv.input[0] = pool.input[0]
        graph.node.remove(pool)


def _stretch(conv: onnx.NodeProto, side: int, kernel: tuple[int, ...]) -> None:
    """Attributes of the merged convolution."""
    old = _attributes(conv)
    new = {name: [side * value for value in old.get(name, default)] for name, default in _DEFAULTS.items()}
    new["kernel_shape"] = list(kernel)
    for attribute in [a for a in conv.attribute if a.name in new]:
        conv.attribute.remove(attribute)
    conv.attribute.extend(helper.make_attribute(name, value) for name, value in sorted(new.items()))


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _window(pool: onnx.NodeProto) -> int:
    """Side of a square window that is also the stride, without padding; otherwise 0."""
    given = _attributes(pool)
    shape = list(given["kernel_shape"])
    whole = not any(given.get("pads", [])) and not given.get("ceil_mode", 0)
    return shape[0] if whole and given.get("strides") == shape and len(set(shape)) == 1 else 0


def _plain(conv: onnx.NodeProto) -> bool:
    given = _attributes(conv)
    padded = given.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    return padded and all(d == 1 for d in given.get("dilations", [1]))

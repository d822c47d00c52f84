"""The first convolutions of an int8 graph, fed with four pixels at a time.

ONNX Runtime's fast integer convolutions want input channels in fours, and a picture has three: a first layer
took three times as long in int8 as in fp32, a fifth of the spoof network's time. Four neighbouring pixels of a
row are twelve channels without moving a byte. The kernel is spread over them, each column of the output that
falls into one group becomes a set of channels of its own, and the sets are laid side by side again.

Integer weights are moved and zeros added, nothing is rounded anew: every answer stays equal bit by bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from facegate.exporting.onnx import MEAN, SCALE

PIXELS = 4
"""Pixels of a row that become one."""
_STRIDES = (2, 4)
_SCALED = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class _Stem:
    """A convolution of a window of the picture.

    Attributes:
        conv: its node.
        window: first row, first column, rows and columns of the picture that it sees, pixels.
        kernel: height and width.
        strides: down and across.
        pads: top, left, bottom, right.
        columns: of its output.
    """

    conv: onnx.NodeProto
    window: tuple[int, int, int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]

    @property
    def rows(self) -> int:
        """Rows of the output."""
        return (self.window[2] + self.pads[0] + self.pads[2] - self.kernel[0]) // self.strides[0] + 1

    @property
    def columns(self) -> int:
        """Columns of the output."""
        return (self.window[3] + self.pads[1] + self.pads[3] - self.kernel[1]) // self.strides[1] + 1

    @property
    def sets(self) -> int:
        """Columns of the output in one group of pixels."""
        return PIXELS // self.strides[1]

    @property
    def groups(self) -> tuple[int, int]:
        """Groups of pixels that the kernel sees before and after its own."""
        reach = self.strides[1] * (self.sets - 1) - self.pads[1] + self.kernel[1]
        return -(-self.pads[1] // PIXELS), max(0, -(-reach // PIXELS) - 1)

    @property
    def fits(self) -> bool:
        """Whether groups and output columns come out even."""
        width = self.window[3]
        return (
            self.strides[1] in _STRIDES
            and width % PIXELS == 0
            and self.columns == width // PIXELS * self.sets
        )


class _Graph:
    """What the rewriting asks of a graph, and adds to it."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.stored = {tensor.name: tensor for tensor in graph.initializer}
        self.makers = {name: node for node in graph.node for name in node.output}

    def value(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self.stored[name])

    def store(self, name: str, value: Any) -> str:
        array = np.ascontiguousarray(value)
        self.stored[name] = numpy_helper.from_array(array, name)
        self.graph.initializer.append(self.stored[name])
        return name

    def readers(self, name: str) -> list[onnx.NodeProto]:
        return [node for node in self.graph.node if name in node.input]

    def insert(self, before: onnx.NodeProto, source: str, steps: list[tuple[str, list[str], Any]]) -> str:
        """Chain operators (name, further inputs, perm) in front of a node; returns what the last one makes."""
        for operator, inputs, perm in steps:
            made = f"{before.name}/{operator}_{len(self.graph.node)}"
            extra = {"perm": perm} if perm else {}
            node = helper.make_node(operator, [source, *inputs], [made], made, **extra)
            self.graph.node.insert(list(self.graph.node).index(before), node)
            source = made
        return source


def pack_stems(model: onnx.ModelProto, picture: str) -> onnx.ModelProto:
    """Rewrite, in place, every int8 convolution that reads the uint8 picture, where its shape allows it.

    Args:
        model: int8 (QDQ) graph whose input is the uint8 picture (N, height, width, 3).
        picture: name of that input.

    Returns:
        The same model.
    """
    graph = _Graph(model.graph)
    for stem in list(_stems(graph, picture)):
        after = _quantiser(graph, stem.conv)
        if stem.fits and after is not None:
            _spread_weights(graph, stem)
            _feed(graph, stem, picture)
            _join(graph, stem, after)
    _prune(model.graph)
    return model


def _stems(graph: _Graph, picture: str) -> Iterator[_Stem]:
    """Quantised convolutions that read the picture, or a window of it, as it is."""
    height, width = _sides(graph)
    for conv in [node for node in graph.graph.node if node.op_type == "Conv"]:
        window = _window(graph, conv.input[0], picture, height, width)
        weights = graph.makers.get(conv.input[1])
        given = {a.name: helper.get_attribute_value(a) for a in conv.attribute}
        plain = (
            given.get("group", 1) == 1 and set(given.get("dilations", [1])) == {1} and len(conv.input) == 3
        )
        if window and plain and "kernel_shape" in given and weights and weights.op_type == "DequantizeLinear":
            strides, pads = given.get("strides", [1, 1]), given.get("pads", [0] * 4)
            yield _Stem(conv, window, tuple(given["kernel_shape"]), tuple(strides), tuple(pads))


def _sides(graph: _Graph) -> tuple[int, int]:
    """Height and width of the picture."""
    _, height, width, _ = (d.dim_value for d in graph.graph.input[0].type.tensor_type.shape.dim)
    return height, width


def _window(
    graph: _Graph, name: str, picture: str, height: int, width: int
) -> tuple[int, int, int, int] | None:
    """First row, first column, height and width of what a tensor shows of the picture; None if it is not that."""
    cuts: list[onnx.NodeProto] = []
    while name != picture:
        node = graph.makers.get(name)
        if node is None or not (node.op_type in ("Slice", "Transpose") or _keeps_values(graph, node)):
            return None
        cuts += [node] if node.op_type == "Slice" else []
        name = node.input[0]
    start, size = [0, 0], [height, width]
    for cut in reversed(cuts):
        first, end, axes = (graph.value(part).tolist() for part in cut.input[1:4])
        steps = graph.value(cut.input[4]).tolist() if len(cut.input) > 4 else [1]
        if set(steps) != {1} or min(first) < 0 or min(end) < 0 or not set(axes) <= {2, 3}:
            return None
        for low, high, axis in zip(first, end, axes, strict=True):
            start[axis - 2] += low
            size[axis - 2] = min(high, size[axis - 2]) - low
    return start[0], start[1], size[0], size[1]


def _scale(graph: _Graph, name: str) -> list[str]:
    """Names of the scale and zero point by which the picture's integers became the given tensor."""
    while graph.makers[name].op_type != "DequantizeLinear":
        name = graph.makers[name].input[0]
    return list(graph.makers[name].input[1:3])


def _keeps_values(graph: _Graph, node: onnx.NodeProto) -> bool:
    """Whether a node maps between uint8 pixels and ``(value - 128) / 128``, as every other one on the way."""
    if node.op_type not in _SCALED:
        return False
    step, zero = (graph.value(name) for name in node.input[1:3])
    return step == np.float32(SCALE) and zero.dtype == np.uint8 and zero == MEAN


def _quantiser(graph: _Graph, conv: onnx.NodeProto) -> onnx.NodeProto | None:
    """The node that alone reads the convolution (and its ReLU) and makes integers of it again."""
    node = conv
    while node.op_type != "QuantizeLinear":
        readers = graph.readers(node.output[0])
        if len(readers) != 1 or readers[0].op_type not in ("Relu", "QuantizeLinear"):
            return None
        node = readers[0]
    return node


def _spread_weights(graph: _Graph, stem: _Stem) -> None:
    weights, biases = (graph.makers[name] for name in stem.conv.input[1:3])
    kernel = graph.value(weights.input[0])
    outputs, colours, height, width = kernel.shape
    before, after = stem.groups
    taps = before + 1 + after
    spread = np.zeros((stem.sets, outputs, colours, height, taps * PIXELS), kernel.dtype)
    for number in range(stem.sets):
        left = before * PIXELS - stem.pads[1] + number * stem.strides[1]
        spread[number, :, :, :, left : left + width] = kernel
    spread = spread.reshape(stem.sets * outputs, colours, height, taps, PIXELS).transpose(0, 4, 1, 2, 3)
    packed = spread.reshape(stem.sets * outputs, PIXELS * colours, height, taps)
    weights.input[0] = graph.store(f"{weights.input[0]}/packed", packed)
    for node, parts in ((weights, (1, 2)), (biases, (0, 1, 2))):
        for part in parts:
            if part < len(node.input) and graph.value(node.input[part]).shape == (outputs,):
                tiled = np.tile(graph.value(node.input[part]), stem.sets)
                node.input[part] = graph.store(f"{node.input[part]}/{node.name}/packed", tiled)


def _feed(graph: _Graph, stem: _Stem, picture: str) -> None:
    """Cut the window out of the picture, group its pixels, and let the convolution read them."""
    top, left, rows, columns = stem.window
    conv, name = stem.conv, stem.conv.name
    cut = [("start", [top, left]), ("end", [top + rows, left + columns]), ("axes", [1, 2])]
    slices = [graph.store(f"{name}/{part}", np.array(value, np.int64)) for part, value in cut]
    grouped = graph.store(f"{name}/grouped", np.array([-1, rows, columns // PIXELS, 3 * PIXELS], np.int64))
    whole = stem.window == (0, 0, *_sides(graph))
    steps: list[tuple[str, list[str], Any]] = [
        *([] if whole else [("Slice", slices, None)]),
        ("Reshape", [grouped], None),
        ("Transpose", [], [0, 3, 1, 2]),
        ("DequantizeLinear", _scale(graph, conv.input[0]), None),
    ]
    conv.input[0] = graph.insert(conv, picture, steps)
    before, after = stem.groups
    new = {
        "kernel_shape": [stem.kernel[0], before + 1 + after],
        "strides": [stem.strides[0], 1],
        "pads": [stem.pads[0], before, stem.pads[2], after],
    }
    for attribute in [a for a in conv.attribute if a.name in new]:
        conv.attribute.remove(attribute)
    conv.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(new.items()))


def _join(graph: _Graph, stem: _Stem, quantiser: onnx.NodeProto) -> None:
    """Lay the sets of output columns side by side again, as integers."""
    if stem.sets == 1:
        return
    outputs = len(graph.value(graph.makers[stem.conv.input[2]].input[0])) // stem.sets
    joined = graph.store(
        f"{stem.conv.name}/joined", np.array([-1, stem.rows, stem.columns, outputs], np.int64)
    )
    readers = graph.readers(quantiser.output[0])
    first = min(readers, key=list(graph.graph.node).index)
    steps = [("Transpose", [], [0, 2, 3, 1]), ("Reshape", [joined], None), ("Transpose", [], [0, 3, 1, 2])]
    laid = graph.insert(first, quantiser.output[0], steps)
    for node in readers:
        node.input[:] = [laid if name == quantiser.output[0] else name for name in node.input]


def _prune(graph: onnx.GraphProto) -> None:
    """Remove nodes and constants that nothing reads."""
    kept = {output.name for output in graph.output}
    while True:
        used = kept | {name for node in graph.node for name in node.input}
        unused = [node for node in graph.node if not used & set(node.output)]
        for node in unused:
            graph.node.remove(node)
        if not unused:
            break
    for constant in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(constant)

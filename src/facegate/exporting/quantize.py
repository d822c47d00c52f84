"""Static int8 for one family of processors, with as little in floating point as accuracy allows.

Weights and activations are stored as 8-bit integers with quantise/dequantise pairs around each operator (QDQ),
which ONNX Runtime fuses into integer kernels. What differs between processors is the integer types: see
:data:`TARGETS`. The uint8 picture is the first convolution's integer input as it stands.

Where int8 changes too many answers, :func:`sensitivity` finds the layers that cost most, to be left alone.
"""

import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from tqdm import tqdm

from facegate.exporting.calibration_set import normalised
from facegate.exporting.graph import INPUT
from facegate.exporting.mirror import add_mirror, mirrored_raw
from facegate.exporting.onnx import MEAN, SCALE, add_picture_input, network_alone, picture_sides, serialise
from facegate.exporting.stem import PIXELS, pack_stems
from facegate.runtime.processor import Family

Method = Literal["minmax", "percentile", "entropy"]


@dataclass(frozen=True)
class IntegerTypes:
    """Integer arithmetic that a family of processors is fast and right at.

    Attributes:
        activation: type of the activations.
        weight: type of the weights.
        reduce_range: use 7 bits of the weights.
        zero_point: of the picture in the activations' type.
    """

    activation: QuantType
    weight: QuantType
    reduce_range: bool
    zero_point: int


TARGETS: dict[Family, IntegerTypes] = {
    "x86-vnni": IntegerTypes(QuantType.QUInt8, QuantType.QInt8, False, 128),
    "x86-avx2": IntegerTypes(QuantType.QUInt8, QuantType.QInt8, True, 128),
    "arm64": IntegerTypes(QuantType.QInt8, QuantType.QInt8, False, 0),
}
"""AVX2 without VNNI adds pairs of products in 16 bits, which saturate unless weights keep to 7 bits."""

_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}
_OPERATORS = (
    "Conv",
    "Gemm",
    "MatMul",
    "Add",
    "Relu",
    "Clip",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "Concat",
)
_LAYERS = ("Conv", "Gemm", "MatMul")
_LOWEST = "lowest"
_NUMPY_TYPES = {QuantType.QUInt8: np.uint8, QuantType.QInt8: np.int8}


def quantise(
    model: bytes,
    pictures: NDArray[np.uint8],
    target: Family,
    method: Method = "minmax",
    float_layers: Sequence[str] = (),
) -> bytes:
    """Quantise an exported model.

    Args:
        model: what :func:`~facegate.exporting.onnx.export` returned, with the picture as input.
        pictures: calibration crops, shape (n, height, width, 3).
        target: family of processors.
        method: how ranges are taken from the activations met.
        float_layers: names of nodes to leave in floating point (:func:`layers` lists candidates). The head
            (normalisation, softmax) always stays there.

    Returns:
        The serialised int8 model, of the same input and output; equal inputs give equal bytes.
    """
    proto = onnx.ModelProto.FromString(model)
    core = network_alone(proto)
    sides = picture_sides(proto)
    helper.set_model_props(core, {"onnx.quant.pre_process": "onnxruntime.quant"})
    spared = sorted({*float_layers, *narrow_layers(core)})
    excluded = sorted({*spared, *head_nodes(core)})
    with tempfile.TemporaryDirectory(prefix="facegate-int8-") as folder, _quiet():
        out = Path(folder) / "int8.onnx"
        types = TARGETS[target]
        quantize_static(
            core,
            out,
            _Reader(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_OPERATORS),
            per_channel=True,
            reduce_range=types.reduce_range,
            activation_type=types.activation,
            weight_type=types.weight,
            nodes_to_exclude=excluded,
            calibrate_method=_METHODS[method],
            extra_options={
                "TensorQuantOverrides": {name: [_picture_scale(types)] for name in _pixels(core)},
                "OpTypesToExcludeOutputQuantization": ["Gemm"],
            },
        )
        quantised = onnx.load(out)
    del quantised.metadata_props[:], quantised.graph.value_info[:]
    whole = _shield(_feed_integers(add_picture_input(quantised, sides)), spared)
    packed = pack_stems(whole, INPUT)
    raw = mirrored_raw(proto)
    return serialise(add_mirror(packed, raw) if raw else packed)


def layers(model: bytes) -> list[str]:
    """Names of the layers with weights, in the order of the graph: what may be left in floating point."""
    return [n.name for n in onnx.ModelProto.FromString(model).graph.node if n.op_type in _LAYERS]


def sensitivity(
    model: bytes,
    pictures: NDArray[np.uint8],
    target: Family,
    method: Method,
    difference: Callable[[bytes], float],
) -> list[tuple[str, float]]:
    """What each layer costs when it alone is int8, worst first; those that never are (:func:`narrow_layers`) are left out.

    Args:
        model: see :func:`quantise`.
        pictures: see :func:`quantise`; a few dozen are enough for an order.
        target: see :func:`quantise`.
        method: see :func:`quantise`.
        difference: how far a candidate is from the trained network; higher is worse.
    """
    narrow = narrow_layers(network_alone(onnx.ModelProto.FromString(model)))
    names = [name for name in layers(model) if name not in narrow]
    costs: list[tuple[str, float]] = []
    for name in tqdm(names, desc="sensitivity", unit="layer", leave=False):
        others = [other for other in names if other != name]
        costs.append((name, difference(quantise(model, pictures, target, method, others))))
    return sorted(costs, key=lambda cost: -cost[1])


def _pixels(core: onnx.ModelProto) -> list[str]:
    """The picture and every window cut out of it: tensors that hold pixels as they are."""
    names = [INPUT]
    for node in core.graph.node:
        if node.op_type == "Slice" and node.input[0] in names:
            names.append(node.output[0])
    return names


def _picture_scale(types: IntegerTypes) -> dict[str, Any]:
    dtype = _NUMPY_TYPES[types.activation]
    return {
        "quant_type": types.activation,
        "scale": np.array(SCALE, np.float32),
        "zero_point": np.array(types.zero_point, dtype),
    }


def narrow_layers(core: onnx.ModelProto) -> list[str]:
    """Convolutions that are slower in int8 than in floating point: too few input channels, and not packable.

    The fast integer kernels want channels in fours. A plain convolution of the picture itself gets them from
    :func:`~facegate.exporting.stem.pack_stems`; the others stay in floating point, and so do those of a foreign graph
    whose weights are computed and not stored: they are no weights that could be rounded once.
    """
    shapes = {i.name: i.dims for i in core.graph.initializer}
    pixels, found = _pixels(core), []
    for node in [n for n in core.graph.node if n.op_type == "Conv"]:
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        packable = groups == 1 and node.input[0] in pixels
        stored = shapes.get(node.input[1])
        if stored is None or (not packable and stored[1] * groups < PIXELS):
            found.append(node.name)
    return found


def head_nodes(core: onnx.ModelProto) -> list[str]:
    """Names of the nodes behind the last layer with weights."""
    nodes = list(core.graph.node)
    last = max(i for i, node in enumerate(nodes) if node.op_type in _LAYERS)
    return [node.name for node in nodes[last + 1 :]]


def _feed_integers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let uint8 activations begin with the picture itself: dequantising and quantising it again is the identity."""
    graph = model.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    dequantised = graph.node[1].output[0]
    for node in [n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == dequantised]:
        zero = constants[node.input[2]]
        if zero.dtype == np.uint8 and zero == MEAN and constants[node.input[1]] == np.float32(SCALE):
            graph.node.remove(node)
            for other in graph.node:
                other.input[:] = [graph.node[0].output[0] if i == node.output[0] else i for i in other.input]
    if not any(dequantised in node.input for node in graph.node):
        graph.node.remove(graph.node[1])
    used = {name for node in graph.node for name in node.input}
    for unused in [i for i in graph.initializer if i.name not in used]:
        graph.initializer.remove(unused)
    return model


def _shield(model: onnx.ModelProto, float_layers: Sequence[str]) -> onnx.ModelProto:
    """Keep float layers in floating point once ONNX Runtime has optimised the graph.

    Its ``WeightBiasQuantization`` turns the float weights of any layer between a dequantised input and a
    quantised output into int8 after all, per tensor: coarser than what the layer was spared. An operator that
    it does not look through, and that changes nothing, ends the pattern.
    """
    graph = model.graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    for node in [n for n in graph.node if n.name in float_layers and n.op_type in _LAYERS]:
        if made.get(node.input[0]) != "DequantizeLinear":
            continue
        shielded = f"{node.name}/shielded"
        shield = helper.make_node("Max", [node.input[0], _LOWEST], [shielded], shielded)
        graph.node.insert(list(graph.node).index(node), shield)
        node.input[0] = shielded
    if any(_LOWEST in node.input for node in graph.node):
        graph.initializer.append(numpy_helper.from_array(np.array(np.finfo(np.float32).min), _LOWEST))
    return model


class _Reader(CalibrationDataReader):
    """Hands calibration pictures to ONNX Runtime in small batches."""

    def __init__(self, pictures: NDArray[np.uint8], batch: int = 8) -> None:
        self._batches = iter(np.array_split(pictures, max(1, len(pictures) // batch)))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: normalised(batch)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what ONNX Runtime's calibration prints and logs on the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)

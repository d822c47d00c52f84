"""A trained recogniser in ONNX as a teacher: aligned faces in, embeddings out.

Teachers are plain chains of layers more often than not, and those run faster through torch than through ONNX Runtime
(PReLU and wide 1×1 convolutions): two to three times in bf16, where the embedding stays within a cosine of 0.999, and a
sixth in fp32, for processors that do not multiply bf16. Any other graph runs as it is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from facegate.errors import SourceError
from facegate.runtime.processor import has_bf16

Weights = Mapping[str, Tensor]


BATCH = 8
"""Faces per pass: activations of more no longer fit the processor's cache, and each face then takes half as long again."""


class Teacher:
    """Embeds aligned faces.

    Args:
        path: ONNX file with one input: RGB, 0 to 255, shape (n, 3, 112, 112), and one output, the embeddings.
        kind: what torch computes it in; by default bfloat16 where the processor multiplies it, else float32.

    Raises:
        SourceError: the file is missing or no ONNX network.
    """

    def __init__(self, path: Path, kind: torch.dtype | None = None) -> None:
        try:
            model = onnx.load(path)
        except Exception as error:  # protobuf and the file system raise families of their own
            raise SourceError(
                f"{path}: no readable ONNX network: {error}", "run `dvc repro fetch`"
            ) from error
        kind = kind or (torch.bfloat16 if has_bf16() else torch.float32)
        self._run = _by_torch(model, kind) or _by_runtime(model)

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings of unit length, shape (N, D), of faces of shape (N, 112, 112, 3)."""
        batches = [faces[start : start + BATCH] for start in range(0, len(faces), BATCH)]
        raw = np.concatenate([self._run(batch.transpose(0, 3, 1, 2).astype(np.float32)) for batch in batches])
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def _by_runtime(model: onnx.ModelProto) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0], np.float32)


def _by_torch(
    model: onnx.ModelProto, kind: torch.dtype
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]] | None:
    """The network by torch; None if it is no plain chain of known layers."""
    layers = chain(model)
    if layers is None:
        return None
    first, rest = layers[0], layers[1:].to(kind).to(memory_format=torch.channels_last)

    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            prepared = first(torch.from_numpy(pictures)).to(kind, memory_format=torch.channels_last)
            return rest(prepared).float().numpy()

    return run


class Affine(nn.Module):
    """``(x - shift) * scale``."""

    def __init__(self, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.shift, self.scale = shift, scale

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return (x - self.shift) * self.scale


class ChannelAffine(nn.Module):
    """A gain and an offset per channel: batch normalisation with fixed statistics."""

    def __init__(self, gain: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.gain, self.offset = nn.Parameter(gain), nn.Parameter(offset)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in, (N, C) or (N, C, H, W)."""
        shape = (1, -1) + (1,) * (x.ndim - 2)
        return x * self.gain.view(shape) + self.offset.view(shape)

    def fold_into(self, conv: nn.Conv2d) -> None:
        """Make the convolution before it do its work."""
        bias = torch.zeros_like(self.offset) if conv.bias is None else conv.bias
        conv.bias = nn.Parameter((bias * self.gain + self.offset).detach())
        conv.weight = nn.Parameter((conv.weight * self.gain.view(-1, 1, 1, 1)).detach())


def chain(model: onnx.ModelProto) -> nn.Sequential | None:
    """The network as torch layers, batch normalisation folded into the convolution before it; fp32, in evaluation mode.

    Returns:
        Layers of which the first brings 0 to 255 into the network's own range; None if the graph is no chain, or
        holds an operator that is not known here.
    """
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    layers: list[nn.Module] = [Affine(torch.zeros(()), torch.ones(()))]
    previous = model.graph.input[0].name
    for node in model.graph.node:
        if node.op_type == "Constant":
            continue
        build = _BUILDERS.get(node.op_type)
        if build is None or node.input[0] != previous or any(n not in weights for n in _operands(node)):
            return None
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        try:
            _append(layers, build([weights[name] for name in _operands(node)], attributes))
        except (KeyError, TypeError, ValueError, RuntimeError):
            return None
        previous = node.output[0]
    return nn.Sequential(*layers).eval()


def _operands(node: onnx.NodeProto) -> list[str]:
    return [] if node.op_type == "Dropout" else list(node.input)[1:]


def _append(layers: list[nn.Module], layer: nn.Module) -> None:
    last = layers[-1]
    if isinstance(layer, Affine) and isinstance(last, Affine) and len(layers) == 1:
        layers[0] = Affine(last.shift + layer.shift / last.scale, last.scale * layer.scale)
    elif isinstance(layer, ChannelAffine) and isinstance(last, nn.Conv2d):
        layer.fold_into(last)
    elif not isinstance(layer, nn.Identity):
        layers.append(layer.eval())


def _conv(weights: list[Tensor], attributes: Mapping[str, Any]) -> nn.Module:
    weight = weights[0]
    groups = attributes.get("group", 1)
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        raise ValueError("uneven padding")
    layer = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        (weight.shape[2], weight.shape[3]),
        tuple(attributes.get("strides", [1, 1])),
        (top, left),
        tuple(attributes.get("dilations", [1, 1])),
        groups,
        bias=len(weights) > 1,
    )
    return _filled(layer, dict(zip(("weight", "bias"), weights, strict=False)))


def _norm(weights: list[Tensor], attributes: Mapping[str, Any]) -> nn.Module:
    scale, shift, mean, variance = weights
    gain = scale / torch.sqrt(variance + attributes.get("epsilon", 1e-5))
    return ChannelAffine(gain, shift - mean * gain)


def _prelu(weights: list[Tensor], _: Mapping[str, Any]) -> nn.Module:
    slopes = weights[0].flatten()
    return _filled(nn.PReLU(len(slopes)), {"weight": slopes})


def _gemm(weights: list[Tensor], attributes: Mapping[str, Any]) -> nn.Module:
    if attributes.get("transA") or attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
        raise ValueError("a product of another kind")
    weight = weights[0] if attributes.get("transB") else weights[0].T
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=len(weights) > 1)
    return _filled(layer, dict(zip(("weight", "bias"), (weight, *weights[1:]), strict=False)))


def _filled(layer: nn.Module, values: Weights) -> nn.Module:
    state = {name: value.reshape(layer.state_dict()[name].shape) for name, value in values.items()}
    layer.load_state_dict(state, strict=False)
    return layer


_BUILDERS: dict[str, Callable[[list[Tensor], Mapping[str, Any]], nn.Module]] = {
    "Sub": lambda w, _: Affine(w[0], torch.ones(())),
    "Mul": lambda w, _: Affine(torch.zeros(()), w[0]),
    "Conv": _conv,
    "BatchNormalization": _norm,
    "PRelu": _prelu,
    "Relu": lambda _w, _a: nn.ReLU(),
    "Dropout": lambda _w, _a: nn.Identity(),
    "Flatten": lambda _w, _a: nn.Flatten(),
    "Gemm": _gemm,
}

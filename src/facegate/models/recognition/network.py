"""Backbones that turn an aligned face into an embedding; pure torch, so that they export alone."""

import difflib
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegate.errors import MissingExtraError, ParamsError
from facegate.models.blocks import ConvUnit, Residual, scaled

TIMM = "timm/"
SIZE = 112
"""Side of the aligned crop, pixels."""
MAP = 7
"""Side of the last map that it gives, pixels."""

DENSE_STAGES = ((16, 0), (32, 1), (64, 2), (128, 1))
"""Channels and residual blocks of each stride-2 stage of the dense network."""
FLAT_STAGES = ((16, 0), (32, 1), (64, 2), (128, 0))
"""The same of the flat one, whose head does what blocks over the last map would."""

MOBILE_STAGES = ((64, 2, 2, 5), (128, 2, 4, 1), (128, 1, 2, 6), (128, 2, 4, 1), (128, 1, 2, 2))
"""Channels, first stride, expansion and repeats (Chen et al., 2018, table 1)."""


class WholeMap(nn.Conv2d):
    """Convolution whose kernel covers the whole map, so that each output is one weighted sum.

    Trains as a product and a sum, which take a tenth of the time of the convolution and its gradient; evaluated and
    exported as the convolution, which quantises. In training it takes smaller maps too, with its kernel shrunk likewise.

    Args:
        channels: of the map.
        side: of the map and the kernel, pixels.
        outputs: channels that come out, each a sum over all of the map's; by default each channel is summed by itself.
    """

    def __init__(self, channels: int, side: int, outputs: int | None = None) -> None:
        groups = channels if outputs is None else 1
        super().__init__(channels, outputs or channels, side, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C, side, side) to (N, outputs, 1, 1)."""
        if not self.training:
            return super().forward(input)
        kernel = self._fitting(input.shape[-1]).to(input.dtype)
        if self.groups > 1:
            return (input * kernel[:, 0]).sum((2, 3), keepdim=True)
        return functional.linear(input.flatten(1), kernel.flatten(1))[:, :, None, None]

    def _fitting(self, side: int) -> Tensor:
        own = self.kernel_size[0]
        return self.weight if side == own else shrink(self.weight, side) * (own / side) ** 2


def shrink(maps: Tensor, side: int) -> Tensor:
    """Maps (N, C, H, W) resized to (N, C, side, side) without aliasing."""
    return functional.interpolate(maps, (side, side), mode="bilinear", antialias=True)


class EmbeddingHead(nn.Sequential):
    """1×1 expansion, 7×7 depthwise convolution in place of pooling, linear projection.

    Args:
        inputs: channels of the map.
        hidden: channels of the expansion.
        embedding: dimensions.
        affine: let the last batch normalisation scale and shift. Margin training can then collapse onto a point, so
            it goes without; a student needs the shift, for its teacher's embeddings are not centred.
    """

    def __init__(self, inputs: int, hidden: int, embedding: int, affine: bool) -> None:
        super().__init__(
            ConvUnit(inputs, hidden, kernel=1),
            nn.Sequential(WholeMap(hidden, MAP), nn.BatchNorm2d(hidden)),
            nn.Conv2d(hidden, embedding, 1, bias=False),
            nn.BatchNorm2d(embedding, affine=affine),
            nn.Flatten(),
        )


class FlatHead(nn.Sequential):
    """A linear projection of the whole last map, as ArcFace's "E" (Deng et al., 2019, arXiv:1801.07698).

    Args:
        inputs: channels of the map.
        embedding: dimensions.
        affine: see :class:`EmbeddingHead`.
    """

    def __init__(self, inputs: int, embedding: int, affine: bool) -> None:
        super().__init__(
            WholeMap(inputs, MAP, embedding), nn.BatchNorm2d(embedding, affine=affine), nn.Flatten()
        )


class Backbone(nn.Sequential):
    """Normalised faces to raw embeddings.

    Attributes:
        mirrored: see :func:`build_network`.
    """

    mirrored: bool = False


class DenseResNet(Backbone):
    """Small residual network of dense 3×3 convolutions: 0.64 M weights at width 1.

    Args:
        width: channel multiplier.
        embedding: dimensions of the embedding.
        affine: see :class:`EmbeddingHead`.
    """

    def __init__(self, width: float = 1.0, embedding: int = 128, affine: bool = False) -> None:
        layers, channels = _residual_stages(DENSE_STAGES, width)
        super().__init__(*layers, EmbeddingHead(channels, scaled(256, width), embedding, affine))


class FlatResNet(Backbone):
    """As :class:`DenseResNet`, less deep over the last map, and with more weights in its head: 1.07 M at width 1.

    Args:
        width: channel multiplier.
        embedding: dimensions of the embedding.
        affine: see :class:`EmbeddingHead`.
    """

    def __init__(self, width: float = 1.0, embedding: int = 128, affine: bool = False) -> None:
        layers, channels = _residual_stages(FLAT_STAGES, width)
        super().__init__(*layers, FlatHead(channels, embedding, affine))


def _residual_stages(stages: Sequence[tuple[int, int]], width: float) -> tuple[list[nn.Module], int]:
    layers: list[nn.Module] = []
    channels = 3
    for outputs, blocks in stages:
        layers.append(ConvUnit(channels, scaled(outputs, width), stride=2))
        channels = scaled(outputs, width)
        layers += [Residual(channels) for _ in range(blocks)]
    return layers, channels


class Bottleneck(nn.Module):
    """Inverted residual of MobileNetV2 with ReLU (Sandler et al., 2018, arXiv:1801.04381)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            ConvUnit(inputs, hidden, kernel=1),
            ConvUnit(hidden, hidden, stride=stride, groups=hidden),
            ConvUnit(hidden, outputs, kernel=1, act=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, outputs, H / stride, W / stride)."""
        return x + self.body(x) if self.shortcut else self.body(x)


class MobileFaceNet(Backbone):
    """MobileFaceNet (Chen et al., 2018, arXiv:1804.07573) with ReLU in place of PReLU.

    Args:
        width: channel multiplier.
        embedding: dimensions of the embedding.
        affine: see :class:`EmbeddingHead`.
    """

    def __init__(self, width: float = 1.0, embedding: int = 128, affine: bool = False) -> None:
        channels = scaled(64, width)
        layers: list[nn.Module] = [
            ConvUnit(3, channels, stride=2),
            ConvUnit(channels, channels, groups=channels),
        ]
        for outputs, stride, expansion, repeats in MOBILE_STAGES:
            for block in range(repeats):
                layers.append(
                    Bottleneck(channels, scaled(outputs, width), stride if block == 0 else 1, expansion)
                )
                channels = scaled(outputs, width)
        super().__init__(*layers, EmbeddingHead(channels, scaled(512, width), embedding, affine))


class TimmRecogniser(Backbone):
    """Any backbone of the timm library, from random weights, with the mean over its last map and a linear projection.

    Whether it quantises well depends on its layers: prefer those with ReLU alone, such as ``resnet10t``.

    Args:
        name: timm's name of the backbone.
        embedding: dimensions of the embedding.
        affine: see :class:`EmbeddingHead`.

    Raises:
        MissingExtraError: timm is not installed.
        ParamsError: timm knows no such backbone.
    """

    def __init__(self, name: str, embedding: int = 128, affine: bool = False) -> None:
        try:
            import timm
        except ImportError as error:
            raise MissingExtraError(
                f"backbone `timm/{name}` needs timm", "pip install 'facegate[train]'"
            ) from error
        if not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=3)
            raise ParamsError(
                f"`recognition.backbone`: timm knows no `{name}`", f"nearest: {', '.join(near) or 'none'}"
            )
        body: Any = timm.create_model(name, pretrained=False, num_classes=0, global_pool="", in_chans=3)
        super().__init__(
            body,
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(body.num_features, embedding, 1, bias=False),
            nn.BatchNorm2d(embedding, affine=affine),
            nn.Flatten(),
        )


class Centred(nn.Module):
    """A backbone whose embeddings are seen from the centre of all faces: brought to unit length, then moved.

    A teacher's embeddings have a common part that says nothing about who it is, and a student learns it first. What the
    network makes of its training people on average is taken away once it is trained, all of it or a part: faces of
    another kind have another centre, and lie together on one side of this one. Then they are stretched, see
    :mod:`facegate.models.recognition.whitening`.

    Args:
        body: backbone to raw embeddings.
        embedding: their dimensions.

    Attributes:
        mirrored: see :func:`build_network`.
    """

    centre: Tensor
    spread: Tensor
    mirrored: bool = False

    def __init__(self, body: nn.Module, embedding: int) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("centre", torch.zeros(embedding))
        self.register_buffer("spread", torch.eye(embedding))

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings (N, D) of normalised pictures (N, 3, 112, 112)."""
        return (self.learnt(x) - self.centre) @ self.spread

    def learnt(self, x: Tensor) -> Tensor:
        """Embeddings (N, D) of unit length, as training left them."""
        return functional.normalize(self.body(x))


def build_network(
    backbone: str = "dense_resnet",
    width: float = 1.0,
    embedding: int = 128,
    student: bool = False,
    mirrored: bool = False,
) -> Centred:
    """Build a recogniser.

    Args:
        backbone: ``dense_resnet``, ``flat_resnet``, ``mobilefacenet``, or ``timm/NAME``; a timm backbone has its own width.
        width: channel multiplier.
        embedding: dimensions of the embedding.
        student: whether it learns a teacher's embeddings, which are not centred: see :class:`EmbeddingHead`.
        mirrored: once trained it is asked about the mirror image too, see :mod:`facegate.exporting.mirror`.

    Returns:
        A network from float RGB of shape (N, 3, 112, 112), ``(value - 128) / 128``, to raw embeddings
        (N, embedding); compare them by their cosine.
    """
    network = Centred(_body(backbone, width, embedding, affine=student), embedding)
    network.mirrored = mirrored
    return network


def below_head(network: nn.Module) -> list[nn.Parameter]:
    """Weights of a recogniser below its head: of the whole backbone where timm made it."""
    body = cast(Centred, network).body
    layers = list(body.children())
    kept = layers[:1] if isinstance(body, TimmRecogniser) else layers[:-1]
    return [weight for layer in kept for weight in layer.parameters()]


def _body(backbone: str, width: float, embedding: int, affine: bool) -> Backbone:
    if backbone.startswith(TIMM):
        return TimmRecogniser(backbone.removeprefix(TIMM), embedding, affine)
    backbones = {"dense_resnet": DenseResNet, "flat_resnet": FlatResNet, "mobilefacenet": MobileFaceNet}
    return backbones[backbone](width, embedding, affine)

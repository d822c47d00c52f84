"""The spoof network: two looks at one context crop, inside one graph.

Traces of re-capture (halftone dots, sub-pixels, moiré) are as fine as the pixels and die on shrinking, so one
branch sees the middle of the crop at its own resolution, and of it only what differs from the local mean: what is shown is
large beside the traces of the medium, and says nothing about it. Borders, bezels and hands are large, so the other branch
sees the whole crop in steps of four pixels. Both are averaged over their area, each has its own answer, and the answers
(logits) are added up: so the medium branch can be trained on pictures that show no face at all. What the
scene branch makes of those is another answer, of training alone; where no face was seen it stays
silent, since its answer starts at zero.
"""

import torch
from torch import Tensor, nn

from facegate.models.blocks import ConvUnit, Residual, scaled

CLASSES = ("attack", "bona_fide")
"""Order of the logits."""

PATCH = 0.75
"""Side of the native patch / side of the crop."""
PART, CELL = 0.7, 16
"""Side of a part of the patch / side of the patch, and what both are a multiple of, pixels: half of the work."""

GAIN, LIMIT = 6.0, 2.0
"""Amplification of what differs from the local mean, and where it is cut off."""


class Detail(nn.Sequential):
    """Pictures without their local mean, amplified: (N, 3, H, W) to (N, 3, H - 4, W - 4), -LIMIT to LIMIT.

    How traces in pictures are looked for since steganalysis (Fridrich & Kodovsky, *Rich models for steganalysis of digital
    images*, 2012, doi:10.1109/TIFS.2012.2190402). The kernel is fixed: whole numbers that add up to zero with 127 as the
    largest, so that int8 holds it exactly.
    """

    reach = 2

    def __init__(self) -> None:
        conv = nn.Conv2d(3, 3, 1 + 2 * self.reach, groups=3, bias=False)
        kernel = torch.full((5, 5), -5.0)
        kernel[1:4, 1:4] = -6
        kernel[1, 1], kernel[2, 2] = -5, 127
        conv.weight = nn.Parameter((kernel * (GAIN / 132)).repeat(3, 1, 1, 1), requires_grad=False)
        super().__init__(conv, nn.Hardtanh(-LIMIT, LIMIT))


class Branch(nn.Sequential):
    """Convolutions at falling resolution and the mean over the area.

    Args:
        widths: output channels of each stage; every stage but the first halves the resolution.
        stem: kernel and stride of the first convolution.
        width: channel multiplier.
    """

    def __init__(self, widths: tuple[int, ...], stem: tuple[int, int], width: float) -> None:
        kernel, stride = stem
        channels = scaled(widths[0], width)
        layers: list[nn.Module] = [
            ConvUnit(3, channels, kernel, stride, padding=(kernel - stride + 1) // 2),
            ConvUnit(channels, channels),
        ]
        for outputs in widths[1:]:
            layers.append(ConvUnit(channels, scaled(outputs, width), stride=2))
            channels = scaled(outputs, width)
            layers.append(Residual(channels))
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.features = channels

    def maps(self, x: Tensor) -> Tensor:
        """What :meth:`mean` takes the mean of, (N, features, h, w)."""
        for layer in list(self)[:-2]:
            x = layer(x)
        return x

    def mean(self, maps: Tensor) -> Tensor:
        """Mean over the area, (N, features)."""
        for layer in list(self)[-2:]:
            maps = layer(maps)
        return maps


class SpoofNet(nn.Module):
    """Native patch and coarse scene, their logits added up.

    Args:
        width: channel multiplier.
        size: side of the context crop, pixels.
        mirrored: once trained it is asked about the mirror image too, see :mod:`facegate.exporting.mirror`.
    """

    def __init__(self, width: float = 1.0, size: int = 128, mirrored: bool = False) -> None:
        super().__init__()
        self.mirrored = mirrored
        self.patch = int(size * PATCH) // CELL * CELL
        self.part = round(self.patch * PART / CELL) * CELL
        self.offset = (size - self.patch) // 2
        self.detail = Detail()
        self.medium = Branch((16, 32, 64, 96), (3, 2), width)
        self.scene = Branch((16, 32, 48, 64), (4, 4), width)
        self.features = self.medium.features + self.scene.features
        self.dropout = nn.Dropout(0.2)
        self.medium_judge = nn.Linear(self.medium.features, len(CLASSES))
        self.scene_judge = nn.Linear(self.scene.features, len(CLASSES))
        nn.init.zeros_(self.scene_judge.weight)
        nn.init.zeros_(self.scene_judge.bias)

    def native(self, x: Tensor, part: tuple[int, int] | None = None) -> Tensor:
        """Detail (N, 3, patch, patch) of the native patch of normalised pictures (N, 3, size, size).

        Args:
            x: the pictures.
            part: top and left in the patch of the part of it (N, 3, part, part) to see instead.
        """
        top, left = part or (0, 0)
        side = self.part if part else self.patch
        rows, columns = (
            slice(self.offset + at - Detail.reach, self.offset + at + side + Detail.reach)
            for at in (top, left)
        )
        return self.detail(x[:, :, rows, columns])

    def describe_medium(self, x: Tensor) -> Tensor:
        """Features (N, F) of the native patch of normalised pictures (N, 3, size, size)."""
        return self.dropout(self.medium(self.native(x)))

    def describe_scene(self, x: Tensor) -> Tensor:
        """Features (N, F) of the whole crop."""
        return self.dropout(self.scene(x))

    def describe(self, x: Tensor) -> Tensor:
        """Features (N, features) of both branches."""
        return torch.cat([self.describe_medium(x), self.describe_scene(x)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 2), order CLASSES, of normalised pictures (N, 3, size, size)."""
        return self.medium_judge(self.describe_medium(x)) + self.scene_judge(self.describe_scene(x))


def build_network(width: float = 1.0, size: int = 128, mirrored: bool = False) -> nn.Module:
    """Build a spoof network.

    Returns:
        A network from float RGB of shape (N, 3, size, size), ``(value - 128) / 128``, to logits (N, 2).
    """
    return SpoofNet(width, size, mirrored)

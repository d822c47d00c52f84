"""The spoof network: two looks at one context crop, inside one graph.

Traces of re-capture (halftone dots, sub-pixels, moiré) are as fine as the pixels and die on shrinking, so one
branch sees the middle of the crop at its own resolution, and of it only what differs from the local mean: what is shown is
large beside the traces of the medium, and says nothing about it. Borders, bezels and hands are large, so the other branch
sees the whole crop in steps of four pixels. Both are averaged over their area, each has its own answer, and the answers
(logits) are added up: so the medium branch can be trained on pictures that show no face at all.
"""

import torch
from torch import Tensor, nn

from facegate.models.blocks import ConvUnit, Residual, scaled

CLASSES = ("attack", "bona_fide")
"""Order of the logits."""

PATCH = 0.75
"""Side of the native patch / side of the crop."""

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


class Spectrum(nn.Module):
    """Logarithm of the power at each frequency: (N, 3, S, S) to (N, 3, S, S / 2), about -1 to 2.

    What repeats itself over the whole patch (halftone dots, rows of sub-pixels, moiré between them and the camera) adds up here,
    where an average of local answers only sees each repetition by itself. A Hann window, and a discrete Fourier transform
    as matrix products with fixed cosines and sines, which any runtime has; half of the columns' frequencies, as the other half mirrors it.

    Args:
        size: side of the patch, pixels.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        place = torch.arange(size, dtype=torch.float64)
        window = torch.sin(torch.pi * (place + 0.5) / size) ** 2
        turns = torch.outer(place, place) * (2 * torch.pi / size)
        waves = torch.stack([turns.cos(), turns.sin()]) * window * (8 / 3 / size) ** 0.5  # (cosine or sine, frequency, place)
        waves = waves.roll(size // 2, 1).float()  # the mean of the rows in the middle
        self.rows = nn.Parameter(waves, requires_grad=False)
        self.columns = nn.Parameter(waves.roll(-(size // 2), 1)[:, : size // 2].transpose(1, 2).contiguous(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        with torch.autocast(x.device.type, enabled=False):
            cosines, sines = x.float() @ self.columns[0], x.float() @ self.columns[1]
            real = self.rows[0] @ cosines - self.rows[1] @ sines
            imaginary = self.rows[1] @ cosines + self.rows[0] @ sines
            return torch.log(real * real + imaginary * imaginary + 1e-2) * 0.25


class Waves(nn.Sequential):
    """Features of a spectrum; where a peak lies matters, so the last convolution sees the whole map.

    Args:
        size: rows of the spectrum; it has half as many columns.
        width: channel multiplier.
    """

    def __init__(self, size: int, width: float) -> None:
        widths = [scaled(channels, width) for channels in (16, 32, 48, 48)]
        layers: list[nn.Module] = [ConvUnit(a, b, stride=2) for a, b in zip([3, *widths], widths, strict=False)]
        features = scaled(64, width)
        last = nn.Conv2d(widths[-1], features, (-(-size // 16), -(-size // 32)), bias=False)
        super().__init__(*layers, last, nn.BatchNorm2d(features), nn.ReLU(inplace=True), nn.Flatten())
        self.features = features


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


class SpoofNet(nn.Module):
    """Native patch and coarse scene, their logits added up.

    Args:
        width: channel multiplier.
        size: side of the context crop, pixels.
    """

    def __init__(self, width: float = 1.0, size: int = 128) -> None:
        super().__init__()
        self.patch = int(size * PATCH) // 16 * 16
        self.offset = (size - self.patch) // 2
        self.detail = Detail()
        self.medium = Branch((16, 32, 64, 96), (3, 2), width)
        self.scene = Branch((16, 32, 48, 64), (4, 4), width)
        self.spectrum = Spectrum(self.patch)
        self.waves = Waves(self.patch, width)
        self.features = self.medium.features + self.waves.features + self.scene.features
        self.dropout = nn.Dropout(0.2)
        self.medium_judge = nn.Linear(self.medium.features + self.waves.features, len(CLASSES))
        self.scene_judge = nn.Linear(self.scene.features, len(CLASSES))

    def describe_medium(self, x: Tensor) -> Tensor:
        """Features (N, F) of the native patch of normalised pictures (N, 3, size, size)."""
        start, stop = self.offset - Detail.reach, self.offset + self.patch + Detail.reach
        detail = self.detail(x[:, :, start:stop, start:stop])
        return self.dropout(torch.cat([self.medium(detail), self.waves(self.spectrum(detail))], 1))

    def describe_scene(self, x: Tensor) -> Tensor:
        """Features (N, F) of the whole crop."""
        return self.dropout(self.scene(x))

    def describe(self, x: Tensor) -> Tensor:
        """Features (N, features) of both branches."""
        return torch.cat([self.describe_medium(x), self.describe_scene(x)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 2), order CLASSES, of normalised pictures (N, 3, size, size)."""
        return self.medium_judge(self.describe_medium(x)) + self.scene_judge(self.describe_scene(x))


def build_network(width: float = 1.0, size: int = 128) -> nn.Module:
    """Build a spoof network.

    Returns:
        A network from float RGB of shape (N, 3, size, size), ``(value - 128) / 128``, to logits (N, 2).
    """
    return SpoofNet(width, size)

"""Building blocks shared by the networks: convolutions that fold into one int8 operator each.

Only ReLU is used. ONNX Runtime has no quantised kernel for PReLU, so that a network with PReLU is slower in
int8 than in fp32; dense 3×3 convolutions are faster on a CPU than depthwise ones of the same accuracy.
"""

import torch
from torch import Tensor, nn


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation and, unless `act` is off, ReLU. Padding keeps the size at stride 1.

    Args:
        inputs: input channels.
        outputs: output channels.
        kernel: side of the kernel.
        stride: step in pixels.
        groups: channel groups; `inputs` makes it depthwise.
        act: whether a ReLU follows.
        padding: pixels on each side; half the kernel by default.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
        padding: int | None = None,
    ) -> None:
        pad = kernel // 2 if padding is None else padding
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if act else []))


class Residual(nn.Module):
    """Two 3×3 convolutions around which the input is added (He et al., 2016, arXiv:1512.03385)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvUnit(channels, channels), ConvUnit(channels, channels, act=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return torch.relu(x + self.body(x))


def normalise(images: Tensor) -> Tensor:
    """Pictures as the networks take them.

    Args:
        images: RGB uint8 of shape (N, H, W, 3).

    Returns:
        Float RGB of shape (N, 3, H, W), ``(value - 128) / 128``, channels last in memory.
    """
    return images.permute(0, 3, 1, 2).float().sub_(128.0).div_(128.0)


def scaled(channels: int, width: float) -> int:
    """Channel count at a width multiplier, a multiple of 8 and at least 8 (vector units like both)."""
    return max(8, int(channels * width / 8 + 0.5) * 8)


def parameter_count(network: nn.Module) -> int:
    """Number of trained weights."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)

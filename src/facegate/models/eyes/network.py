"""The eye network: under 50,000 weights, for it runs on both eyes of every frame."""

from torch import Tensor, nn

from facegate.models.blocks import ConvUnit, Residual, scaled

CLASSES = ("closed", "open")
"""Order of the logits."""
SIZE = 32
"""Side of the crop, pixels."""


class EyeNet(nn.Module):
    """Three halvings of a 32 × 32 crop, then one linear layer that knows where in the crop it looks.

    Args:
        width: channel multiplier.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        first, second, third = (scaled(channels, width) for channels in (8, 16, 32))
        self.body = nn.Sequential(
            ConvUnit(3, first, stride=2),
            ConvUnit(first, second, stride=2),
            Residual(second),
            ConvUnit(second, third, stride=2),
            Residual(third),
            nn.Flatten(),
        )
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(third * (SIZE // 8) ** 2, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 2), order CLASSES, of normalised crops (N, 3, 32, 32)."""
        return self.classifier(self.dropout(self.body(x)))


def build_network(width: float = 1.0) -> nn.Module:
    """Build an eye network.

    Returns:
        A network from float RGB of shape (N, 3, 32, 32), ``(value - 128) / 128``, to logits (N, 2).
    """
    return EyeNet(width)

"""Central difference convolution while a network learns, a plain convolution once it has learnt.

The kernel's sum, times a share, is taken from its centre: with a share of 1 a convolution sees how a place differs from its
surroundings and nothing else. After Yu et al., *Searching central difference convolutional networks for face
anti-spoofing*, 2020, arXiv:2003.04092, who write it as the difference of two convolutions; one kernel is the same, and
costs nothing once it is folded.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class FromCentre(nn.Module):
    """Kernels (outputs, inputs, k, k), k odd, with `share` of their sum taken from the centre."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, kernels: Tensor) -> Tensor:
        """Kernels of the same shape."""
        centre = torch.zeros_like(kernels)
        middle = kernels.shape[-1] // 2
        centre[..., middle, middle] = self.share * kernels.sum((2, 3))
        return kernels - centre


def take_from_centre(network: nn.Module, share: float) -> None:
    """Give every trained 3 × 3 convolution of a network kernels whose sum is partly taken from their centre."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3) and layer.weight.requires_grad:
            parametrize.register_parametrization(layer, "weight", FromCentre(share))


def fold(network: nn.Module) -> None:
    """Put the kernels themselves in the place of what they are made of; a network without is left as it is."""
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")

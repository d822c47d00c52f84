"""What turns gradients into steps.

Muon takes the momentum of each matrix of weights (a convolution's kernels laid out as one) to the nearest matrix with
equal singular values, so that directions that are seen rarely are learnt as fast as those that are seen always. Here it
needs less than half the pictures of AdamW for the same error (``models/recognition/README.md``).

Papers: Loshchilov & Hutter, *Decoupled Weight Decay Regularization*, 2019, arXiv:1711.05101; Jordan et al., *Muon: An
optimizer for hidden layers in neural networks*, 2024; Liu et al., *Muon is Scalable for LLM Training*, 2025,
arXiv:2502.16982, whose scale of steps makes learning rates of AdamW fit.
"""

from typing import Any

import torch
from torch.optim import Optimizer

from facegate.errors import MissingExtraError
from facegate.params import OptimParams


def build_optimizer(groups: list[dict[str, Any]], optim: OptimParams) -> Optimizer:
    """The optimiser of a recipe.

    Args:
        groups: parameters and their weight decay, as torch takes them. Biases and other vectors learn by Adam
            under either.
        optim: its name and the learning rate.

    Raises:
        MissingExtraError: timm, which holds Muon for convolutions, is not installed.
    """
    if optim.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=optim.learning_rate, fused=True)
    try:
        from facegate.models.muon import GramMuon
    except ImportError as error:
        raise MissingExtraError(
            "`optim.optimizer: muon` needs timm", "pip install 'facegate[train]', or take `adamw`"
        ) from error
    return GramMuon(groups, lr=optim.learning_rate, nesterov=True, normalize_spatial=True)

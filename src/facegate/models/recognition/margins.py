"""Losses that pull a person's embeddings together and push other people's away, by name.

Classifying losses put a margin between identities; Siamese ones compare the pictures of a batch with each other and need
no list of identities. All have an attribute ``margin``, which training raises from zero.
"""

import math
from functools import partial
from typing import Any, Literal

import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import (
    ArcFaceLoss,
    ContrastiveLoss,
    CosFaceLoss,
    SubCenterArcFaceLoss,
    TripletMarginLoss,
)
from pytorch_metric_learning.miners import BatchEasyHardMiner
from torch import Tensor, nn
from torch.nn import functional

LossName = Literal["arcface", "cosface", "subcenter_arcface", "adaface", "triplet", "contrastive"]
SUB_CENTRES = 3
NEGATIVE_COSINE = 0.1
"""Cosine below which the contrastive loss leaves pictures of different people alone, before its margin."""


def build_margin_loss(kind: LossName, identities: int, embedding: int, scale: float) -> Any:
    """A loss of (embeddings (N, D), labels (N,)) whose ``margin`` is set from outside.

    Args:
        kind: ``arcface`` (Deng et al., 2019, arXiv:1801.07698), ``cosface`` (Wang et al., 2018, arXiv:1801.09414),
            ``subcenter_arcface`` (Deng et al., ECCV 2020), ``adaface`` (Kim et al., 2022, arXiv:2204.00964),
            ``triplet`` (Schroff et al., 2015, arXiv:1503.03832), ``contrastive`` (Hadsell et al., CVPR 2006).
        identities: number of classes; the Siamese losses need none.
        embedding: dimensions.
        scale: factor on the cosines of the classifying losses.
    """
    common: dict[str, Any] = {"num_classes": identities, "embedding_size": embedding, "scale": scale}
    if kind == "arcface":
        return ArcFaceLoss(**common)
    if kind == "cosface":
        return CosFaceLoss(**common)
    if kind == "subcenter_arcface":
        return SubCenterArcFaceLoss(**common, sub_centers=SUB_CENTRES)
    if kind == "adaface":
        return AdaFaceLoss(identities, embedding, scale)
    return SiameseLoss(kind)


class AdaFaceLoss(nn.Module):
    """Margin softmax whose margin follows the quality of the picture, for which the length of its embedding stands.

    Sharp pictures get an additive margin (hard ones count more), blurred ones an angular one (hard ones count less), so
    that faces nobody could recognise do not lead training. Kim, Jain & Liu, CVPR 2022, arXiv:2204.00964, equations 11–15.

    Args:
        identities: number of classes.
        embedding: dimensions.
        scale: factor on the cosines.
    """

    SPREAD = 0.333
    """The paper's h: share of the lengths that reaches the ends of the scale of quality."""
    MEMORY = 0.99
    """Decay per batch of the mean and the spread of the lengths."""

    mean: Tensor
    spread: Tensor

    def __init__(self, identities: int, embedding: int, scale: float) -> None:
        super().__init__()
        self.scale, self.margin = scale, 0.0
        self.W = nn.Parameter(functional.normalize(torch.randn(embedding, identities), dim=0))
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("spread", torch.tensor(100.0))

    def quality(self, embeddings: Tensor) -> Tensor:
        """Quality of each picture, -1 to 1; updates the running statistics in training mode."""
        lengths = embeddings.detach().norm(dim=1).clamp(1e-3, 100)
        if self.training and len(lengths) > 1:
            self.mean.lerp_(lengths.mean(), 1 - self.MEMORY)
            self.spread.lerp_(lengths.std(), 1 - self.MEMORY)
        return ((lengths - self.mean) / (self.spread + 1e-3) * self.SPREAD).clamp(-1, 1)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy over the classes."""
        cosine = functional.normalize(embeddings) @ functional.normalize(self.W, dim=0)
        rows = torch.arange(len(labels), device=labels.device)
        quality = self.quality(embeddings)
        angle = torch.acos(cosine[rows, labels].clamp(-1 + 1e-4, 1 - 1e-4))
        turned = (angle - self.margin * quality).clamp(1e-3, math.pi - 1e-3)
        moved = torch.cos(turned) - self.margin * (1 + quality)
        return functional.cross_entropy(self.scale * cosine.index_put((rows, labels), moved), labels)


class SiameseLoss(nn.Module):
    """Triplet or contrastive loss over cosines, on the hardest pairs of each batch.

    Args:
        kind: which.
    """

    def __init__(self, kind: Literal["triplet", "contrastive"]) -> None:
        super().__init__()
        self.margin = 0.0
        self.miner: Any = BatchEasyHardMiner("hard", "semihard", distance=CosineSimilarity())
        loss: Any = TripletMarginLoss if kind == "triplet" else partial(ContrastiveLoss, pos_margin=1)
        self.loss: Any = loss(distance=CosineSimilarity())

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean loss over the pairs or triplets that were mined; zero where every person is told apart already."""
        if isinstance(self.loss, TripletMarginLoss):
            self.loss.margin = self.margin
        else:
            self.loss.neg_margin = NEGATIVE_COSINE - self.margin
        return self.loss(embeddings, labels, self.miner(embeddings, labels))

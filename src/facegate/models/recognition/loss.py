"""What a recogniser is trained on: a margin loss over identities beside a contest of pairs within the batch.

A pure margin loss on few identities starts slowly and, at full margin, may collapse; the pair term starts at
once and keeps the geometry of unseen identities in view.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.recognition.margins import LossName, build_margin_loss

PAIR_SCALE = 16.0
PAIR_MARGIN = 0.15
ITSELF = 0.995
"""Cosine between two of the teacher's embeddings from which on they count as of one picture."""
RAMP = (0.3, 0.7)
"""Part of training over which the margin grows from zero to its full value."""


def margin_at(progress: float, full: float) -> float:
    """Margin at a point of training (`progress` 0 to 1): zero, a linear ramp, then `full`."""
    start, stop = RAMP
    return full * min(1.0, max(0.0, (progress - start) / (stop - start)))


def pair_loss(embeddings: Tensor, pictures: int) -> Tensor:
    """Cross-entropy of finding the other picture of the same person among all persons of the batch.

    Args:
        embeddings: raw embeddings of shape (persons × pictures, D), the pictures of a person one after another.
        pictures: pictures of each person, at least 2.

    Returns:
        Mean over both directions of neighbouring pictures; cosine minus a margin, scaled (as in InfoNCE,
        van den Oord et al., 2018, arXiv:1807.03748).
    """
    views = functional.normalize(embeddings).unflatten(0, (-1, pictures)).unbind(1)
    persons = torch.arange(len(views[0]), device=embeddings.device)
    margin = PAIR_MARGIN * torch.eye(len(persons), device=embeddings.device)
    losses = []
    for left, right in pairwise(views):
        logits = PAIR_SCALE * (left @ right.T - margin)
        losses += [functional.cross_entropy(logits, persons), functional.cross_entropy(logits.T, persons)]
    return torch.stack(losses).mean()


def distil_loss(
    embeddings: Tensor,
    target: Tensor,
    centre: Tensor,
    others: Tensor,
    relation_weight: float,
    contrast_weight: float,
) -> Tensor:
    """How far a student is from its teacher: ``2 (1 - cosine)``, the difference of their relations, and a contest.

    The cosine alone is content with the mean of all faces for a long time. The contest asks the student to find
    its teacher's embedding of the same picture among those of the batch and many others, seen from the centre of all
    faces.

    Args:
        embeddings: the student's raw embeddings (N, D).
        target: the teacher's embeddings of the same pictures (N, D), unit length.
        centre: mean of the teacher's embeddings (D,).
        others: the teacher's embeddings of further pictures (M, D), which may be among the N.
        relation_weight: weight of the mean squared difference of the two centred Gram matrices (relational
            distillation, Park et al., 2019, arXiv:1904.05068).
        contrast_weight: weight of the contest (as in InfoNCE, van den Oord et al., 2018, arXiv:1807.03748).
    """
    student = functional.normalize(embeddings)
    loss = 2 * (1 - (student * target).sum(1)).mean()
    if relation_weight:
        loss = loss + relation_weight * functional.mse_loss(_relations(student), _relations(target))
    if contrast_weight:
        mine, theirs, further = (functional.normalize(part - centre) for part in (student, target, others))
        itself = torch.arange(len(mine), device=mine.device)
        known = (theirs @ further.T) > ITSELF
        cosines = torch.cat([mine @ theirs.T, (mine @ further.T).masked_fill(known, -torch.inf)], 1)
        loss = loss + contrast_weight * functional.cross_entropy(PAIR_SCALE * cosines, itself)
    return loss


def _relations(embeddings: Tensor) -> Tensor:
    """Gram matrix about the mean of the batch."""
    centred = embeddings - embeddings.mean(0)
    return centred @ centred.T


class RecognitionLoss(nn.Module):
    """Margin loss over identities plus the pair term.

    Args:
        kind: see :func:`build_margin_loss`.
        identities: number of classes.
        embedding: dimensions.
        margin: full margin, in radians for the two arcface losses, in cosine for all others.
        scale: factor on the cosines.
        margin_weight: weight of the margin loss.
        pair_weight: weight of the pair term.
    """

    def __init__(
        self,
        kind: LossName,
        identities: int,
        embedding: int,
        margin: float,
        scale: float,
        margin_weight: float,
        pair_weight: float,
    ) -> None:
        super().__init__()
        self.full_margin, self.margin_weight, self.pair_weight = margin, margin_weight, pair_weight
        self.margin_loss: Any = build_margin_loss(kind, identities, embedding, scale)

    def forward(self, embeddings: Tensor, labels: Tensor, pictures: int, progress: float) -> Tensor:
        """Loss of a batch.

        Args:
            embeddings: raw embeddings (persons × pictures, D), a person's pictures one after another.
            labels: identities (persons × pictures,).
            pictures: pictures of each person.
            progress: part of training done, 0 to 1.
        """
        self.margin_loss.margin = margin_at(progress, self.full_margin)
        loss = self.margin_weight * self.margin_loss(embeddings, labels)
        return loss + self.pair_weight * pair_loss(embeddings, pictures)

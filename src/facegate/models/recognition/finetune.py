"""Training on with a few people: learn them, and leave all others where they were."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.learner import Learner
from facegate.models.recognition.loss import pair_loss
from facegate.models.recognition.module import pair_eer
from facegate.models.recognition.network import below_head
from facegate.params import FinetuneParams

PICTURES = 2
"""Pictures of a person in a batch."""


class FinetuneModule(Learner):
    """Learns people whose pictures stand behind faces that are to keep their embeddings.

    Args:
        network: a trained recogniser.
        prototypes: one embedding per identity to start from, unit length (identities, D).
        params: recipe.
    """

    metric: ClassVar[str] = "val_eer"
    mode: ClassVar[Literal["min", "max"]] = "min"

    def __init__(self, network: nn.Module, prototypes: Tensor, params: FinetuneParams) -> None:
        super().__init__(network, params.optim)
        self.params = params
        self.prototypes = nn.Parameter(prototypes.clone())
        self.go_on(network, params.freeze)

    def below_head(self) -> Sequence[nn.Parameter]:
        """See :func:`facegate.models.recognition.network.below_head`."""
        return below_head(self.network)

    def loss_of(self, images: Tensor, labels: tuple[Tensor, Tensor]) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """People among themselves and against strangers, and how far strangers have moved."""
        target, people = labels
        embeddings = self.network(images)
        with torch.autocast(embeddings.device.type, enabled=False):
            strangers, own = functional.normalize(embeddings.float()).split([len(target), len(people)])
            moved = (1 - (strangers * target).sum(1)).mean()
            learned = people_loss(own, people, self.prototypes, target, self.params.margin, self.params.scale)
            return learned + pair_loss(own, PICTURES) + self.params.anchor_weight * moved

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Equal error rate, 0 to 1, of the cosines of all pairs."""
        return pair_eer(functional.normalize(outputs), labels)


def people_loss(
    own: Tensor, people: Tensor, prototypes: Tensor, strangers: Tensor, margin: float, scale: float
) -> Tensor:
    """Cross-entropy of naming the person among all people that are learned and the strangers of the batch.

    A cosine margin softmax (Wang et al., 2018, arXiv:1801.09414) with classes that start as the mean embedding of their
    pictures (imprinting, Qi et al., 2018, arXiv:1712.07136), and with strangers as classes that hold still.

    Args:
        own: unit embeddings of people that are learned (N, D).
        people: their identities (N,).
        prototypes: an embedding per identity (identities, D), of any length.
        strangers: unit embeddings of faces of others (M, D).
        margin: taken off the cosine to the right identity.
        scale: factor on the cosines.
    """
    cosines = own @ functional.normalize(prototypes).T
    cosines = cosines - margin * functional.one_hot(people, len(prototypes))
    return functional.cross_entropy(scale * torch.cat([cosines, own @ strangers.T], 1), people)

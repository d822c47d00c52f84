"""Training of the spoof network."""

from typing import Any, ClassVar, Literal, cast

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.learner import Learner
from facegate.models.spoof.network import CLASSES, SpoofNet
from facegate.models.spoof.sharpness import dependence, sharpness
from facegate.params import SpoofParams

SMOOTHING = 0.05
BONA_FIDE = CLASSES.index("bona_fide")


def network_kwargs(params: SpoofParams, size: int) -> dict[str, Any]:
    """Arguments with which ``build_network`` builds the network of these parameters for crops of `size` pixels."""
    return {"width": params.width, "size": size, "mirrored": params.mirrored}


class SpoofModule(Learner):
    """Cross-entropies over (attack, bona fide) of the sum and of each branch, beside one over the species.

    Naming the species is a task of training only: it keeps the features of a rare species from being drowned
    by an easy one. Its head is not exported. What the answer owes to sharpness within a class costs too.

    Args:
        params: recipe.
        size: side of the crops, pixels.
        species: number of species, bona fide (number 0) included.
    """

    metric: ClassVar[str] = "val_auc"
    mode: ClassVar[Literal["min", "max"]] = "max"

    def __init__(self, params: SpoofParams, size: int, species: int) -> None:
        network = SpoofNet(**network_kwargs(params, size))
        super().__init__(network, params.optim)
        self.species_weight, self.branch_weight = params.species_weight, params.branch_weight
        self.sharpness_weight = params.sharpness_weight
        self.species_head = nn.Linear(network.features, species)

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Weighted sum of the cross-entropies and of the dependence on sharpness.

        Args:
            images: normalised pictures (N, 3, H, W).
            labels: 0 for bona fide, any other an attack species.
        """
        network = cast(SpoofNet, self.network)
        medium, scene = network.describe_medium(images), network.describe_scene(images)
        mediums, scenes = network.medium_judge(medium), network.scene_judge(scene)
        named = self.species_head(torch.cat([medium, scene], 1))
        loss = _judged(mediums + scenes, labels) + self.species_weight * _entropy(named, labels)
        loss = loss + self.branch_weight * (_judged(mediums, labels) + _judged(scenes, labels))
        if self.sharpness_weight:
            answers = _margin((mediums + scenes).float())
            loss = loss + self.sharpness_weight * dependence(answers, sharpness(images), (labels == 0).long())
        return loss

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Area under the ROC, 0 to 1; 0.5 where only one class is present."""
        if len(labels.unique()) < 2:
            return 0.5
        return float(roc_auc_score((labels == 1).cpu().numpy(), _margin(outputs).cpu().numpy()))


def _margin(logits: Tensor) -> Tensor:
    return logits[:, BONA_FIDE] - logits[:, 1 - BONA_FIDE]


def _judged(logits: Tensor, species: Tensor) -> Tensor:
    return _entropy(logits, torch.where(species == 0, BONA_FIDE, 1 - BONA_FIDE))


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)

"""Training of the spoof network."""

from typing import Any, ClassVar, Literal, cast

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.learner import Learner
from facegate.models.spoof.network import CLASSES, SpoofNet
from facegate.params import SpoofParams

SMOOTHING = 0.05
BONA_FIDE = CLASSES.index("bona_fide")


def network_kwargs(params: SpoofParams, size: int) -> dict[str, Any]:
    """Arguments with which ``build_network`` builds the network of these parameters for crops of `size` pixels."""
    return {"width": params.width, "size": size}


class SpoofModule(Learner):
    """Cross-entropy over (attack, bona fide) beside one over the species; validated by the area under the ROC.

    Naming the species is a task of training only: it keeps the features of a rare species from being drowned
    by an easy one. Its head is not exported.

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
        self.species_weight = params.species_weight
        self.species_head = nn.Linear(network.features, species)

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Both cross-entropies; label 0 is bona fide, any other an attack species."""
        network = cast(SpoofNet, self.network)
        features = network.describe(images)
        genuine = torch.where(labels == 0, BONA_FIDE, 1 - BONA_FIDE)
        judged = functional.cross_entropy(
            network.classifier(features).float(), genuine, label_smoothing=SMOOTHING
        )
        named = functional.cross_entropy(
            self.species_head(features).float(), labels, label_smoothing=SMOOTHING
        )
        return judged + self.species_weight * named

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Area under the ROC, 0 to 1; 0.5 where only one class is present."""
        if len(labels.unique()) < 2:
            return 0.5
        scores = outputs[:, BONA_FIDE] - outputs[:, 1 - BONA_FIDE]
        return float(roc_auc_score((labels == 1).cpu().numpy(), scores.cpu().numpy()))

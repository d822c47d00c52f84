"""Training of the liveness network, on descriptions of frames that were computed before."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, cast

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.learner import Learner
from facegate.models.liveness.network import CLASSES, LivenessNet
from facegate.params import OptimParams

SMOOTHING = 0.05
SPECIES_WEIGHT = 0.5
"""Weight of naming the attack species, a task of training only."""
BONA_FIDE = CLASSES.index("bona_fide")


class LivenessModule(Learner):
    """Cross-entropy over (attack, bona fide) beside one over the species; validated by the area under the ROC.

    Batches hold sequences (N, T, F + 3) instead of pictures.

    Args:
        kwargs: of ``build_network``.
        encoder: trained weights of the spoof network that it reads, if it does.
        species: number of species, bona fide (number 0) included.
        optim: recipe.
    """

    metric: ClassVar[str] = "val_auc"
    mode: ClassVar[Literal["min", "max"]] = "max"

    def __init__(
        self,
        kwargs: Mapping[str, Any],
        encoder: Mapping[str, Tensor] | None,
        species: int,
        optim: OptimParams,
    ) -> None:
        network = LivenessNet(**kwargs)
        if encoder is not None:
            cast(nn.Module, network.encoder.network).load_state_dict(dict(encoder))
        super().__init__(network, optim)
        self.species_head = nn.Linear(network.head.outputs, species)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of sequences (N, T, F + 3)."""
        network = cast(LivenessNet, self.network)
        return network.classifier(network.summarise(images)).float()

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Loss of one batch."""
        loss = self.loss_of(*batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        return loss

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Both cross-entropies of sequences; label 0 is bona fide, any other an attack species."""
        network = cast(LivenessNet, self.network)
        summary = network.summarise(images)
        genuine = torch.where(labels == 0, BONA_FIDE, 1 - BONA_FIDE)
        judged = functional.cross_entropy(
            network.classifier(summary).float(), genuine, label_smoothing=SMOOTHING
        )
        named = functional.cross_entropy(
            self.species_head(summary).float(), labels, label_smoothing=SMOOTHING
        )
        return judged + SPECIES_WEIGHT * named

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Area under the ROC, 0 to 1; 0.5 where only one class is present. Label 1 is bona fide."""
        if len(labels.unique()) < 2:
            return 0.5
        scores = outputs[:, BONA_FIDE] - outputs[:, 1 - BONA_FIDE]
        return float(roc_auc_score((labels == 1).cpu().numpy(), scores.cpu().numpy()))

"""Training of the eye network."""

from typing import Any, ClassVar, Literal

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from facegate.models.eyes.network import CLASSES, EyeNet
from facegate.models.learner import Learner
from facegate.params import EyesParams

HALF, SPREAD, CERTAIN = 50, 15, 0.97
"""Eyes are open below ``HALF - SPREAD`` percent of closure and closed above ``HALF + SPREAD``; in between the target
falls evenly, for nobody can say which of the two they are."""
OPEN = CLASSES.index("open")


def network_kwargs(params: EyesParams) -> dict[str, Any]:
    """Arguments with which ``build_network`` builds the network of these parameters."""
    return {"width": params.width}


def openness(closure: Tensor) -> Tensor:
    """Probability that eyes of some closure (percent) shall be called open."""
    share = 0.5 - (closure.float() - HALF) / (2 * SPREAD)
    return share.clamp(1 - CERTAIN, CERTAIN)


class EyeModule(Learner):
    """Cross-entropy against how open the eyes are; validated by the area under the ROC of open against closed.

    Args:
        params: recipe.
    """

    metric: ClassVar[str] = "val_auc"
    mode: ClassVar[Literal["min", "max"]] = "max"

    def __init__(self, params: EyesParams) -> None:
        super().__init__(EyeNet(**network_kwargs(params)), params.optim)

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of normalised crops and closures in percent."""
        target = openness(labels)
        return functional.cross_entropy(self.network(images).float(), torch.stack([1 - target, target], 1))

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Area under the ROC, 0 to 1; 0.5 where only one class is present."""
        opened = labels < HALF
        if len(opened.unique()) < 2:
            return 0.5
        scores = outputs[:, OPEN] - outputs[:, 1 - OPEN]
        return float(roc_auc_score(opened.cpu().numpy(), scores.cpu().numpy()))

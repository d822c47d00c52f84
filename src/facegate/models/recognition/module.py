"""Training of the recogniser."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facegate.metrics.verification import eer, error_curves, split_comparisons
from facegate.models.blocks import normalise
from facegate.models.learner import Finishing, Learner
from facegate.models.recognition.loss import RecognitionLoss, distil_loss
from facegate.models.recognition.network import Centred, below_head, build_network, shrink
from facegate.models.recognition.whitening import nuisance, whitening
from facegate.params import RecognitionParams

CONTEST = 2048
"""Answers of the teacher among which a student is to find that to its picture, beside those of the batch."""
FINISHING_BATCH = 128
COARSE_SIDE = 96
"""Side, pixels, to which pictures are shrunk while training is coarse: three quarters of the work of 112."""


def network_kwargs(params: RecognitionParams) -> dict[str, Any]:
    """Arguments with which :func:`build_network` builds the network of these parameters."""
    return {
        "backbone": params.backbone,
        "width": params.width,
        "embedding": params.embedding,
        "student": params.lessons is not None,
        "mirrored": params.mirrored,
    }


class RecognitionModule(Learner):
    """Margin loss and pair term over balanced batches; validated by the equal error rate over all pairs.

    Args:
        params: recipe.
        identities: number of training classes, pseudo-identities included.
        pictures: pictures of each person in a batch.
    """

    metric: ClassVar[str] = "val_eer"
    mode: ClassVar[Literal["min", "max"]] = "min"

    def __init__(self, params: RecognitionParams, identities: int, pictures: int) -> None:
        super().__init__(build_network(**network_kwargs(params)), params.optim)
        self.pictures, self.coarse = pictures, params.coarse
        self.centring, self.whitening = params.centring, params.whitening
        self.criterion = RecognitionLoss(
            params.loss,
            identities,
            params.embedding,
            params.margin,
            params.scale,
            params.margin_weight,
            params.pair_weight,
        )

    def below_head(self) -> Sequence[nn.Parameter]:
        """See :func:`facegate.models.recognition.network.below_head`."""
        return below_head(self.network)

    @property
    def trained(self) -> Centred:
        """The network, by its own type."""
        return cast(Centred, self.network)

    def seen(self, images: Tensor) -> Tensor:
        """Training pictures as the network sees them now: coarse ones at first, where the recipe asks for that."""
        if self.progress >= self.coarse:
            return images
        return shrink(images.permute(0, 3, 1, 2), COARSE_SIDE).permute(0, 2, 3, 1)

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """See :class:`RecognitionLoss`; computed in fp32 whatever the precision of the network."""
        embeddings = self.trained.body(images)
        with torch.autocast(embeddings.device.type, enabled=False):
            return self.criterion(embeddings.float(), labels, self.pictures, self.progress)

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Equal error rate, 0 to 1, of the cosines of all pairs."""
        return pair_eer(functional.normalize(outputs), labels)

    def finish(self, pictures: Finishing) -> None:
        """Move the centre towards where the training people are on average, and even out what their pictures differ in."""
        seen = self._learnt(pictures.images)
        spread = np.eye(seen.shape[1])
        if self.whitening:
            differences = nuisance(seen, self._learnt(pictures.spoilt), pictures.people)
            spread = whitening(differences, self.whitening)
        self.trained.centre.copy_(torch.from_numpy(self.centring * seen.mean(0)))
        self.trained.spread.copy_(torch.from_numpy(spread))

    def _learnt(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.no_grad():
            parts = torch.from_numpy(images).split(FINISHING_BATCH)
            return torch.cat([self._averaged(normalise(part)) for part in parts]).numpy()

    def _averaged(self, images: Tensor) -> Tensor:
        """Embeddings as :mod:`facegate.exporting.mirror` will average them."""
        seen = self.trained.learnt(images).float()
        if not self.trained.mirrored:
            return seen
        return (seen + self.trained.learnt(images.flip(3)).float()) / 2


class StudentModule(RecognitionModule):
    """Learns a teacher's embeddings, beside the labels of people where some are in the batch.

    Args:
        params: recipe.
        answers: the teacher's embeddings of all its lessons (N, D), unit length.
        identities: number of labelled training classes; 0 for none.
    """

    centre: Tensor
    answers: Tensor

    def __init__(self, params: RecognitionParams, answers: Tensor, identities: int) -> None:
        super().__init__(params, max(1, identities), pictures=2)
        self.weights = params.distil.relation_weight, params.distil.contrast_weight
        self.labelled_weight = params.distil.labelled_weight
        self.register_buffer("centre", answers.mean(0))
        self.register_buffer("answers", answers, persistent=False)
        if not identities:
            self.criterion = torch.nn.Identity()

    def loss_of(self, images: Tensor, labels: Any) -> Tensor:
        """See :func:`distil_loss`; the labelled pictures stand behind the taught ones.

        Labels are judged about the teacher's centre: its common part is neither to be learned by them nor to be fought.
        """
        target, persons = labels
        embeddings = self.trained.body(images)
        with torch.autocast(embeddings.device.type, enabled=False):
            taught, labelled = embeddings.float().split([len(target), len(persons)])
            loss = distil_loss(taught, target, self.centre, self._others(), *self.weights)
            if len(persons):
                centred = functional.normalize(labelled) - self.centre
                labels_loss = self.criterion(centred, persons, self.pictures, self.progress)
                loss = loss + self.labelled_weight * labels_loss
            return loss

    def _others(self) -> Tensor:
        """Answers that the contest is held among beside those of the batch: with each step the next ones of all."""
        many = min(CONTEST, len(self.answers))
        places = torch.arange(many, device=self.answers.device) + many * self.trainer.global_step
        return self.answers[places % len(self.answers)]


def pair_eer(embeddings: Tensor, labels: Tensor) -> float:
    """Equal error rate over all pairs of distinct pictures; 0.5 where there are no mated or no non-mated pairs.

    Args:
        embeddings: unit length, shape (N, D).
        labels: persons, shape (N,).
    """
    rows, columns = torch.triu_indices(len(labels), len(labels), 1)
    scores = (embeddings @ embeddings.T)[rows, columns].cpu().numpy()
    mated = (labels[rows] == labels[columns]).cpu().numpy()
    if mated.all() or not mated.any():
        return 0.5
    return eer(error_curves(*split_comparisons(scores, mated))).value

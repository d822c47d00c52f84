"""Training of the spoof network."""

from typing import Any, ClassVar, Literal, cast

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from facegate.models.learner import Finishing, Learner
from facegate.models.spoof.auxiliary import Depth, Fourier, everywhere
from facegate.models.spoof.central import fold, take_from_centre
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
    by an easy one. Neither its head is exported nor those of the auxiliary tasks, nor what the scene branch makes of
    pictures that show no face. What the answer owes to sharpness within a class costs too.

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
        self.params, self.species = params, species
        self.elsewhere = nn.Linear(network.scene.features, len(CLASSES))
        self.species_head = nn.Linear(network.features, species)
        self.depth = Depth(network.scene.features) if params.auxiliary.depth else None
        self.fourier = Fourier(network.medium.features) if params.auxiliary.fourier else None
        if params.central_difference:
            take_from_centre(network, params.central_difference)

    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Weighted sum of the cross-entropies, of the dependence on sharpness and of the auxiliary tasks.

        Args:
            images: normalised pictures (N, 3, H, W).
            labels: 0 for bona fide, any other an attack species; as many more as there are species where no face is seen.
        """
        network, params = cast(SpoofNet, self.network), self.params
        faces, labels = labels < self.species, labels % self.species
        classes = torch.where(labels == 0, BONA_FIDE, 1 - BONA_FIDE)
        native = network.native(images, self._part())
        maps = network.medium.maps(native), network.scene.maps(images)
        medium, scene = (
            network.dropout(branch.mean(part))
            for branch, part in zip((network.medium, network.scene), maps, strict=True)
        )
        mediums = network.medium_judge(medium)
        scenes = torch.where(faces[:, None], network.scene_judge(scene), self.elsewhere(scene))
        named = self.species_head(torch.cat([medium, scene], 1))
        loss = focal(mediums + scenes, classes, params.focal) + params.species_weight * _entropy(
            named, labels
        )
        loss = loss + params.branch_weight * (_entropy(mediums, classes) + _entropy(scenes, classes))
        if params.sharpness_weight:
            answers = _margin((mediums + scenes).float())
            loss = loss + params.sharpness_weight * dependence(answers, sharpness(images), classes)
        return loss + self._auxiliary(native, *maps, classes)

    def _part(self) -> tuple[int, int] | None:
        """Of the patch, elsewhere in each step, while the recipe asks for it; a seed per step decides."""
        network = cast(SpoofNet, self.network)
        if not self.params.part or self.progress >= self.params.part:
            return None
        top, left = torch.randint(network.patch - network.part + 1, (2,)).tolist()
        return top, left

    def _auxiliary(self, native: Tensor, medium: Tensor, scene: Tensor, classes: Tensor) -> Tensor:
        weights = self.params.auxiliary
        loss = native.new_zeros(())
        if weights.pixel:
            judge = cast(SpoofNet, self.network).medium_judge
            loss = loss + weights.pixel * _entropy(*everywhere(judge, medium, classes))
        if self.depth is not None:
            loss = loss + weights.depth * self.depth(scene, classes == BONA_FIDE)
        if self.fourier is not None:
            loss = loss + weights.fourier * self.fourier(medium, native)
        return loss

    def finish(self, pictures: Finishing) -> None:
        """Leave plain convolutions behind."""
        del pictures
        fold(self.network)

    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Area under the ROC, 0 to 1; 0.5 where only one class is present."""
        if len(labels.unique()) < 2:
            return 0.5
        return float(roc_auc_score((labels == 1).cpu().numpy(), _margin(outputs).cpu().numpy()))


def _margin(logits: Tensor) -> Tensor:
    return logits[:, BONA_FIDE] - logits[:, 1 - BONA_FIDE]


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)


def focal(logits: Tensor, classes: Tensor, power: float) -> Tensor:
    """Cross-entropy, the less of it the surer a right answer is (Lin et al., 2017, arXiv:1708.02002).

    Args:
        logits: (N, C).
        classes: the right ones, (N,).
        power: focusing power; 0 is the cross-entropy.
    """
    if not power:
        return _entropy(logits, classes)
    losses = functional.cross_entropy(logits.float(), classes, label_smoothing=SMOOTHING, reduction="none")
    right = logits.float().softmax(1).gather(1, classes[:, None])[:, 0]
    return ((1 - right) ** power * losses).mean()

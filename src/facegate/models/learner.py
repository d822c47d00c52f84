"""What both Lightning modules share: optimiser, schedule, and a validation metric from collected outputs."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.lr_scheduler import LambdaLR

from facegate.models.blocks import normalise
from facegate.models.optimizers import build_optimizer
from facegate.params import FreezeParams, OptimParams


def schedule(step: int, total: int, warmup: float) -> float:
    """Factor on the learning rate: linear warm-up over a share of training, then half a cosine to zero."""
    rising = max(1.0, warmup * total)
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1.0, total - rising))))


class Finishing(NamedTuple):
    """Training pictures with which a network is finished.

    Attributes:
        images: RGB, uint8, shape (N, H, W, 3).
        spoilt: the same as bad cameras show them; as ``images`` where nobody asks.
        people: number of the person on each, shape (N,).
    """

    images: NDArray[np.uint8]
    spoilt: NDArray[np.uint8]
    people: NDArray[np.intp]


class Learner(pl.LightningModule):
    """A network with its loss; subclasses say what the loss and the validation metric are.

    Attributes:
        metric: name of the validation metric in the logs.
        mode: whether a lower or a higher metric is better.
        network: the part that is kept and exported.
        freezing: how it goes on, if it was trained before.
    """

    metric: ClassVar[str]
    mode: ClassVar[Literal["min", "max"]]

    def __init__(self, network: nn.Module, optim: OptimParams) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.optim = optim
        self.freezing: FreezeParams | None = None
        self._collected: list[tuple[Tensor, Tensor]] = []

    def seen(self, images: Tensor) -> Tensor:
        """Training pictures (N, H, W, 3) of uint8 as the network sees them at this point of training."""
        return images

    @abstractmethod
    def loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        """Training loss of normalised pictures (N, 3, H, W) and labels (N,)."""

    @abstractmethod
    def metric_of(self, outputs: Tensor, labels: Tensor) -> float:
        """Validation metric of all outputs (N, D) and labels (N,)."""

    @property
    def progress(self) -> float:
        """Part of training done, 0 to 1."""
        return self.trainer.global_step / max(1, int(self.trainer.estimated_stepping_batches))

    def finish(self, pictures: Finishing) -> None:
        """Called once when the weights to keep are loaded."""
        del pictures

    def below_head(self) -> Sequence[nn.Parameter]:
        """Weights that rest first and go slowly then where a network goes on that was trained before."""
        return ()

    def go_on(self, network: nn.Module, freeze: FreezeParams) -> None:
        """Take over a network that was trained before, in place of the random one."""
        self.network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.freezing = freeze
        self.requires_grad_().train()

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for batch normalisation whose statistics are to stay."""
        super().train(mode)
        if self.freezing and self.freezing.statistics:
            for layer in self.network.modules():
                if isinstance(layer, _BatchNorm):
                    layer.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Outputs of uint8 pictures (N, H, W, 3)."""
        return self.network(normalise(images)).float()

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Loss of one batch."""
        images, labels = batch
        loss = self.loss_of(normalise(self.seen(images)), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images), sync_dist=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Collect outputs; the metric needs all of them."""
        images, labels = batch
        self._collected.append((self(images), labels))

    def on_validation_epoch_end(self) -> None:
        """Log the metric."""
        outputs, labels = (torch.cat(part) for part in zip(*self._collected, strict=True))
        self._collected.clear()
        self.log(self.metric, self.metric_of(outputs, labels))

    def configure_optimizers(self) -> Any:
        """The recipe's optimiser, no decay of biases and normalisation."""
        total = int(self.trainer.estimated_stepping_batches)
        freeze = self.freezing or FreezeParams()
        resting = total * freeze.epochs / self.optim.epochs

        def rate(step: int) -> float:
            return schedule(step, total, self.optim.warmup)

        def rate_below(step: int) -> float:
            return freeze.rate * rate(step) if step >= resting else 0.0

        below = {id(p) for p in self.below_head()} if self.freezing else set()
        trained = [p for p in self.parameters() if p.requires_grad]
        parts = [([p for p in trained if id(p) not in below], rate)]
        parts += [([p for p in trained if id(p) in below], rate_below)] if below else []
        groups = [group for part, _ in parts for group in _groups(part, self.optim.weight_decay)]
        optimizer = build_optimizer(groups, self.optim)
        scheduler = LambdaLR(optimizer, [factor for _, factor in parts for _ in range(2)])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def _groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]

"""What happens beside training: a seed per step, averaged weights, the curve of the run, one progress bar."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, WeightAveraging
from torch import Tensor
from tqdm import tqdm

from facegate.models.learner import Learner
from facegate.training.trials import Row


class MetricLogger(Protocol):
    """Where curves go, an experiment tracker for instance."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Take the figures of one epoch; `step` is the number of training pictures seen."""
        ...


class StepSeed(Callback):
    """Seeds torch before each step, so that a resumed run draws what an uninterrupted one would have drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed from (seed, step, rank)."""
        del pl_module, batch, batch_idx
        rng = np.random.SeedSequence([self.seed, trainer.global_step, trainer.global_rank])
        torch.manual_seed(int(rng.generate_state(1)[0]))


class AveragedWeights(WeightAveraging):
    """Exponential moving average of weights and statistics; validated, kept in checkpoints as the network.

    Args:
        decay: per step, approached from below over the first steps, so that the first weights are forgotten.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=averaging(decay))


def averaging(decay: float) -> Callable[[Any, Any, Any], None]:
    """Averaging function for torch's ``AveragedModel``."""

    @torch.no_grad()
    def average(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        steps = int(count)
        rate = 1 - min(decay, (1 + steps) / (10 + steps))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, rate)
            else:
                old.copy_(new)

    return average


class History(Callback):
    """The curve of a run; kept in checkpoints, so that a resumed run has all of it.

    Args:
        logger: gets every row, on a resumed run those of the first part too.
        stop: asked with every new row whether the run should end here.
    """

    def __init__(self, logger: MetricLogger | None = None, stop: Callable[[Row], bool] | None = None) -> None:
        self.logger, self.stop = logger, stop
        self.rows: list[Row] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Replay what an earlier part of the run has logged."""
        del trainer, pl_module
        for row in self.rows:
            self._log(row)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the row of the epoch."""
        assert isinstance(pl_module, Learner)
        metrics = trainer.callback_metrics
        batch = trainer.datamodule.batches.size  # pyright: ignore[reportAttributeAccessIssue]
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "samples": float(
                trainer.global_step * batch * trainer.world_size * trainer.accumulate_grad_batches
            ),
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            "train_loss": float(metrics["train_loss"]),
            pl_module.metric: float(metrics[pl_module.metric]),
        }
        self.rows.append(row)
        self._log(row)
        if self.stop and self.stop(row):
            trainer.should_stop = True

    def _log(self, row: Row) -> None:
        if self.logger:
            figures = {name: value for name, value in row.items() if name not in ("epoch", "samples")}
            self.logger.log(figures, step=int(row["samples"]))

    def state_dict(self) -> dict[str, Any]:
        """Rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of the checkpoint."""
        self.rows = list(state_dict["rows"])


class Progress(Callback):
    """One bar over the whole run.

    Args:
        title: stands before the bar.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar: tqdm[Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar where the run takes up."""
        del pl_module
        self.bar = tqdm(
            total=int(trainer.estimated_stepping_batches),
            initial=trainer.global_step,
            desc=self.title,
            unit="step",
            mininterval=1.0,
            disable=not trainer.is_global_zero,
        )

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """One step on."""
        del pl_module, outputs, batch, batch_idx
        if self.bar is not None:
            self.bar.update(trainer.global_step - self.bar.n)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the latest figures."""
        assert isinstance(pl_module, Learner)
        if self.bar is not None:
            shown = {name: float(trainer.callback_metrics[name]) for name in ("train_loss", pl_module.metric)}
            self.bar.set_postfix(shown, refresh=False)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the bar, also after an error."""
        del trainer, pl_module, stage
        if self.bar is not None:
            self.bar.close()

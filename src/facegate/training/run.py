"""One training run by Lightning: the same for a trial of a sweep and for the network that is kept."""

import logging
import os
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, Checkpoint
from pytorch_lightning.utilities import rank_zero_only

from facegate.models.learner import Learner
from facegate.params import OptimParams, TrainerParams
from facegate.runtime.processor import has_bf16
from facegate.training.callbacks import AveragedWeights, StepSeed


def run(
    learner: Learner,
    data: pl.LightningDataModule,
    params: TrainerParams,
    callbacks: Sequence[Callback],
    resume: Path | None = None,
) -> pl.Trainer:
    """Train `learner` to its last epoch, deterministically; it ends with the averaged weights.

    Args:
        learner: with its initial weights.
        data: its batches.
        params: where to train.
        callbacks: beside seeding and averaging, which are always there.
        resume: checkpoint to take up from.
    """
    optim = learner.optim
    always: list[Callback] = [StepSeed(optim.seed)]
    if optim.ema:
        always.append(AveragedWeights(optim.ema))
    with _threads(params.threads or max(1, (os.cpu_count() or 1) - params.workers)), _quiet():
        trainer = pl.Trainer(
            accelerator=params.accelerator,
            devices=params.devices,
            num_nodes=params.num_nodes,
            strategy=params.strategy,
            precision=precision(optim, params),
            accumulate_grad_batches=params.accumulate_grad_batches,
            max_epochs=optim.epochs,
            deterministic=True,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=any(isinstance(c, Checkpoint) for c in callbacks),
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[*always, *callbacks],
        )
        trainer.fit(learner, datamodule=data, ckpt_path=resume)
    return trainer


def precision(optim: OptimParams, params: TrainerParams) -> Literal["32-true", "bf16-mixed"]:
    """What is computed in: ``auto`` is bfloat16 where the accelerator, or else this processor, multiplies it."""
    if optim.precision != "auto":
        return optim.precision
    gpu = params.accelerator == "gpu" or (params.accelerator == "auto" and torch.cuda.is_available())
    return "bf16-mixed" if gpu or has_bf16() else "32-true"


def follows() -> bool:
    """Whether this process only trains along with a first one, which alone keeps a record of the run.

    Asked before Lightning knows: by rank, or by the node, whose first process has none yet.
    """
    node = os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or "0"
    return getattr(rank_zero_only, "rank", 0) != 0 or int(node) != 0


@contextmanager
def _threads(count: int) -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Any:
    """Silence hints that do not apply: the batches are made elsewhere, the steps are few by design."""
    log = logging.getLogger("pytorch_lightning")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module=r"pytorch_lightning|torch\.optim")
            for hint in ("does not have many workers", "exists and is not empty", "LeafSpec.* is deprecated"):
                warnings.filterwarnings("ignore", message=f".*{hint}")
            yield
    finally:
        log.setLevel(level)

"""What a liveness run is made of: the frozen description of every frame, and sequences of them."""

from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from facegate.contracts import Task
from facegate.datasets.clip_batches import ClipBatches, Clips, Features, views
from facegate.datasets.modules import VALIDATION_BATCH, EpochKeys
from facegate.errors import CheckpointError
from facegate.models.blocks import normalise
from facegate.models.checkpoint import load_trained, read_description
from facegate.models.liveness.module import LivenessModule
from facegate.models.liveness.network import READS_SPOOF
from facegate.params import LivenessParams
from facegate.runtime.processor import has_bf16

BATCH = 32


class ClipModule(pl.LightningDataModule):
    """Training sequences by key and the validation clips in their order.

    Args:
        batches: training sequences.
        validation: sequences of the validation clips, (N, T, F + 3).
        bona_fide: which of them show a live person.
    """

    def __init__(self, batches: ClipBatches, validation: Features, bona_fide: NDArray[np.bool_]) -> None:
        super().__init__()
        self.batches = batches
        self.validation = TensorDataset(
            torch.from_numpy(validation), torch.from_numpy(bona_fide.astype(np.int64))
        )

    def train_dataloader(self) -> DataLoader[Any]:
        """One pass over the epoch that Lightning names; the batches cost too little for other processes."""
        trainer = self.trainer
        rank, processes = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        sampler = EpochKeys(self.batches.steps, rank, processes)
        return DataLoader(self.batches, batch_size=None, sampler=sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation sequences and labels, as they are."""
        return DataLoader(self.validation, batch_size=VALIDATION_BATCH)


def network_kwargs(clips: Clips, params: LivenessParams) -> dict[str, Any]:
    """Arguments with which ``build_network`` builds the network of these parameters for such clips."""
    spoof = read_description(Path(params.spoof))["kwargs"] if params.head in READS_SPOOF else None
    frames, size = clips.frames.shape[1:3]
    return {"head": params.head, "frames": frames, "size": size, "width": params.width, "spoof": spoof}


def encoder_digest(params: LivenessParams) -> str:
    """SHA-256 of the weights that describe frames; empty for a head with pictures of its own.

    Raises:
        CheckpointError: they are missing.
    """
    return read_description(Path(params.spoof))["sha256"] if params.head in READS_SPOOF else ""


def assemble(train: Clips, validation: Clips, params: LivenessParams) -> tuple[LivenessModule, ClipModule]:
    """Build the learner and its sequences.

    Raises:
        CheckpointError: the spoof network is missing or was trained for crops of another size.
        PackError: the training split lacks bona fide clips or attacks.
    """
    kwargs = network_kwargs(train, params)
    spoof = _spoof_network(params, train.frames.shape[2])
    weights = None if spoof is None else spoof.state_dict()
    learner_of = partial(LivenessModule, kwargs, weights, optim=params.optim)
    encoder: Any = learner_of(species=2).network.encoder
    source = encoder_digest(params)
    described = _described(train, encoder, source, params.views, params.optim.seed)
    held = _described(validation, encoder, source, 1, params.optim.seed)[0]
    cues = validation.cues * np.float32(params.cues)
    batches = ClipBatches(train, described, params.optim.batch_size, params.cues, params.optim.seed)
    learner = learner_of(species=len(batches.names))
    return learner, ClipModule(batches, np.concatenate([held, cues], 2), validation.bona_fide)


_DESCRIBED: WeakKeyDictionary[Clips, dict[tuple[object, ...], Features]] = WeakKeyDictionary()
"""The trials of a sweep read the same descriptions."""


def _described(clips: Clips, encoder: nn.Module, source: str, count: int, seed: int) -> Features:
    """Description of every frame in every view, shape (views, N, T, F); computed once in a process."""
    known = _DESCRIBED.setdefault(clips, {})
    key = (type(encoder).__name__, source, count, seed)
    if key not in known:
        made = (describe(encoder, view, f"view {i}") for i, view in enumerate(views(clips, count, seed)))
        known[key] = np.stack(list(made))
    return known[key]


@torch.inference_mode()
def describe(encoder: nn.Module, frames: NDArray[np.uint8], title: str = "") -> Features:
    """Description of every frame, shape (N, T, F), of clips (N, T, S, S, 3); in bf16 where the processor multiplies it."""
    encoder.eval()
    flat = frames.reshape(-1, *frames.shape[2:])
    starts = tqdm(range(0, len(flat), BATCH), desc=f"describing {title}", unit="batch", leave=False)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16()):
        parts = [encoder(normalise(torch.from_numpy(flat[i : i + BATCH]))).float().numpy() for i in starts]
    return np.concatenate(parts).reshape(*frames.shape[:2], -1)


def _spoof_network(params: LivenessParams, size: int) -> nn.Module | None:
    """The trained spoof network, if the head reads it."""
    if params.head not in READS_SPOOF:
        return None
    folder = Path(params.spoof)
    task, network = load_trained(folder)
    trained_for = read_description(folder)["kwargs"].get("size", size)
    if task is not Task.SPOOF or trained_for != size:
        raise CheckpointError(
            f"{folder}: a {task} network for crops of {trained_for} pixels; needed is spoof for {size}",
            "train it on crops of the same `prepare`, or choose another `liveness.head`",
        )
    return network

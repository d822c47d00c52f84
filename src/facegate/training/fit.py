"""Train the network that is kept: resumable after a kill, the same result as without one."""

import pickle
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from facegate.contracts import Task
from facegate.datasets.batches import Crops
from facegate.models.checkpoint import save_trained
from facegate.models.learner import Learner
from facegate.params import Params
from facegate.training.callbacks import History, MetricLogger, Progress
from facegate.training.curves import write_curves
from facegate.training.material import (
    Material,
    assemble,
    finishing,
    load_material,
    network_kwargs,
    run_key,
    section,
)
from facegate.training.run import precision, run
from facegate.whole import whole_folder


@dataclass(frozen=True)
class TrainResult:
    """What a training run gave.

    Attributes:
        metric: name of the validation metric.
        value: its value at the epoch that was kept.
        epoch: that epoch, counted from 1.
        epochs: epochs trained.
        samples: pictures seen over all epochs, those before a resume included.
        seconds: wall time of this process's part.
        pictures_per_second: throughput of this process's part, validation included.
    """

    metric: str
    value: float
    epoch: int
    epochs: int
    samples: int
    seconds: float
    pictures_per_second: float


def fit(
    task: Task,
    params: Params,
    crops: Path,
    out: Path,
    work: Path,
    logger: MetricLogger | None = None,
    pool: Path | None = None,
    initial: Path | None = None,
) -> TrainResult:
    """Train a task's network and write it with its curve.

    Where several processes train together, each of them calls this, and the first one writes.

    Args:
        task: recognition or spoof.
        params: recipe, with the sweep's best values already in it.
        crops: crop pack; its test split is not read.
        out: folder that gets ``model.pt``, ``network.json``, ``curves.csv`` and ``curves.png``, whole or not at all.
        work: untracked folder for checkpoints; a run killed earlier with the same recipe, crops and code is
            taken up from there at its last whole epoch, any other is left alone.
        logger: gets the curve.
        pool: further training pictures, where the recipe asks for them.
        initial: folder of the weights to go on from, where the recipe asks for them.

    Raises:
        CheckpointError: the initial weights are no whole trained network.
        PackError: the crops cannot be used.
        ParamsError: the task cannot be trained, or the initial weights do not fit the recipe.
    """
    section(task, params)
    material = load_material(task, params, crops, pool, initial)
    folder = work / task / run_key(material, params)
    torch.manual_seed(section(task, params).optim.seed)
    learner, data = assemble(material, params)
    keeper = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=learner.metric,
        mode=learner.mode,
        save_last=True,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    history = History(logger)
    resume = _usable(folder / "last.ckpt")
    done = _epochs_in(resume)
    start = time.perf_counter()
    trainer = run(learner, data, params.trainer, [history, keeper, Progress(f"train {task}")], resume)
    seconds = time.perf_counter() - start
    best = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    learner.load_state_dict(best["state_dict"])
    epoch = int(best["epoch"]) + 1
    with trainer.precision_plugin.forward_context():
        _finish(learner, material, params)
    trainer.strategy.barrier("all have read the best weights")
    if trainer.is_global_zero:
        _write(out, material, params, learner.network, history, learner.metric, epoch)
        shutil.rmtree(folder)
    rows = history.rows
    pictures = (len(rows) - done) * data.batches.steps * data.batches.size
    return TrainResult(
        metric=learner.metric,
        value=rows[epoch - 1][learner.metric],
        epoch=epoch,
        epochs=len(rows),
        samples=int(rows[-1]["samples"]),
        seconds=seconds,
        pictures_per_second=pictures / seconds,
    )


def _finish(learner: Learner, material: Material, params: Params) -> None:
    if isinstance(material.train, Crops):
        learner.eval().finish(finishing(material, params))


def _write(
    out: Path,
    material: Material,
    params: Params,
    network: torch.nn.Module,
    history: History,
    metric: str,
    epoch: int,
) -> None:
    training = {
        "metric": metric,
        "value": history.rows[epoch - 1][metric],
        "epoch": epoch,
        "epochs": len(history.rows),
        "samples": int(history.rows[-1]["samples"]),
        "precision": precision(section(material.task, params).optim, params.trainer),
        "crops": material.digest,
        "pool": dict(material.pool_about),
        **({"initial": dict(material.initial.about)} if material.initial else {}),
        "recipe": section(material.task, params).model_dump(mode="json"),
    }
    with whole_folder(out) as draft:
        write_curves(draft, history.rows, metric, epoch)
        save_trained(draft, network, material.task, network_kwargs(material, params), training)


def _usable(checkpoint: Path) -> Path | None:
    """The checkpoint if it can be read; a damaged one is removed."""
    if not checkpoint.is_file():
        return None
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        checkpoint.unlink(missing_ok=True)
        return None
    return checkpoint


def _epochs_in(checkpoint: Path | None) -> int:
    if checkpoint is None:
        return 0
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1

"""Does the processor train, or does it wait: a whole training run against a bare loop on the same pictures.

``python -m facegate.benchmark.train_speed recognition`` trains a few dozen steps as the stage does (batches made by
worker processes, loss, optimiser, averaged weights), and then goes forward and backward over the last of those batches,
which lie in memory. The two take turns, so that a busy machine slows both alike.
"""

import json
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
import typer
from pytorch_lightning.callbacks import Callback

from facegate.contracts import Task
from facegate.datasets.modules import CropModule
from facegate.errors import told_in_words
from facegate.models.learner import Learner
from facegate.params import Params, load_params
from facegate.training.material import Material, assemble, load_material, section
from facegate.training.run import run

KEPT = 4
"""Batches that lie in memory for the bare loop."""
SETTLING = 5
"""First steps of each part, which are not counted: workers start, memory is taken for the first time."""


class Pace(Callback):
    """Times the steps of a run, and of as many bare steps after it."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.marks: list[float] = []
        self.bare: list[float] = []

    @property
    def trained(self) -> list[float]:
        """Seconds of each step of the run that counts."""
        return _between(self.marks)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the time."""
        del trainer, pl_module, outputs, batch_idx
        self.marks.append(time.perf_counter())
        self.kept = [*self.kept, batch][-KEPT:]

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Go forward and backward over the batches in memory, as often as steps were trained."""
        assert isinstance(pl_module, Learner)
        pl_module.log = lambda *_, **__: None  # type: ignore[method-assign,assignment]
        marks = []
        for step in range(len(self.marks)):
            pl_module.zero_grad(set_to_none=True)
            with trainer.precision_plugin.forward_context():
                loss = pl_module.training_step(self.kept[step % len(self.kept)], step)
            loss.backward()
            marks.append(time.perf_counter())
        self.bare = _between(marks)


def _between(marks: list[float]) -> list[float]:
    return [after - before for before, after in zip(marks[SETTLING:-1], marks[SETTLING + 1 :], strict=True)]


def train_speed(material: Material, params: Params, steps: int, rounds: int) -> dict[str, Any]:
    """Pictures a second of training and of the bare loop.

    Args:
        material: what is trained on.
        params: recipe and trainer.
        steps: of each part of each round, more than those that settle.
        rounds: how often the two take turns.

    Returns:
        ``trained`` and ``bare`` (pictures a second, medians over all steps), ``ratio`` of the two, ``ratios`` by round,
        ``threads`` and ``workers``.

    Raises:
        ValueError: too few steps.
        PackError: the material cannot be trained on.
    """
    if steps < SETTLING + 2:
        raise ValueError(f"{steps} steps are too few: the first {SETTLING} do not count")
    recipe = section(material.task, params)
    short = recipe.model_copy(update={"optim": recipe.optim.model_copy(update={"epochs": 1})})
    paces, size = [], 0
    for _ in range(rounds):
        torch.manual_seed(short.optim.seed)
        learner, data = assemble(material, params.model_copy(update={material.task.value: short}))
        assert isinstance(data, CropModule)
        data.set_steps(steps)
        size = data.batches.size
        pace = Pace()
        run(learner, data, params.trainer, [pace])
        paces.append(pace)
    trained, bare = (median(t for p in paces for t in getattr(p, name)) for name in ("trained", "bare"))
    return {
        "trained": round(size / trained, 1),
        "bare": round(size / bare, 1),
        "ratio": round(bare / trained, 3),
        "ratios": [round(median(p.bare) / median(p.trained), 3) for p in paces],
        "threads": params.trainer.threads,
        "workers": params.trainer.workers,
    }


def main(
    task: Annotated[Task, typer.Argument(help="recognition, spoof or eyes")],
    steps: Annotated[int, typer.Option(help="of each part")] = 40,
    rounds: Annotated[int, typer.Option(help="how often the two take turns")] = 3,
    workers: Annotated[
        int | None, typer.Option(help="processes that make batches; as params.yaml by default")
    ] = None,
) -> None:
    """Print the throughput of training and of the bare loop as JSON."""
    params = load_params()
    if workers is not None:
        trainer = params.trainer.model_copy(update={"workers": workers})
        params = params.model_copy(update={"trainer": trainer})
    material = load_material(task, params, Path("data/crops") / task, Path("data/pool") / task)
    print(json.dumps(train_speed(material, params, steps, rounds)))


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)

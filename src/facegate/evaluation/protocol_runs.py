"""Every arm of the leave-something-out protocols trained and scored once, into score tables that outlive the run.

A run that is killed goes on with the arm that it was at; what is made of the tables needs no network again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Task
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import PackError
from facegate.evaluation.scores import MEASURED, answers, rows_of
from facegate.evaluation.tables import read_table, write_table
from facegate.models.blocks import normalise
from facegate.models.spoof.module import BONA_FIDE
from facegate.params import Params
from facegate.training.material import code_digest
from facegate.training.protocols import Arm, Lessons, read_lessons, train_arm

BRANCHES = ("both", "medium")
"""What judges: the sum of both branches, which is the model, or the medium branch alone."""


class Branches:
    """A trained spoof network as a model that answers by branch; `mirrored` as it is exported."""

    def __init__(self, network: nn.Module) -> None:
        self.network: Any = network

    @torch.inference_mode()
    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Log odds of bona fide of crops (n, H, W, 3), shape (n, 2): both branches, the medium branch."""
        x = normalise(torch.from_numpy(images))
        logits = self._logits(x)
        if self.network.mirrored:
            logits = 0.5 * (logits + self._logits(x.flip(3)))
        return (logits[..., BONA_FIDE] - logits[..., 1 - BONA_FIDE]).numpy()

    def _logits(self, x: Tensor) -> Tensor:
        medium = self.network.medium_judge(self.network.describe_medium(x))
        scene = self.network.scene_judge(self.network.describe_scene(x))
        return torch.stack([medium + scene, medium], 1)


def run_arms(
    arms: Sequence[Arm], crops: Path, pool: Path, out: Path, params: Params, steps: int
) -> dict[str, dict[str, Path]]:
    """Train and score the arms whose tables are not there yet.

    Args:
        arms: what to train.
        crops: spoof crops; nothing of the test split is trained on.
        pool: content that is not faces.
        out: gets ``<protocol>-<name>/<branch>.parquet``.
        params: recipe and trainer.
        steps: optimiser steps of every arm.

    Returns:
        By title of the arm, the table of each of :data:`BRANCHES`.

    Raises:
        PackError: a pack cannot be used, or an arm leaves nothing to train on.
    """
    pack, content = open_pack(crops, CROP_COLUMNS), open_pack(pool, SAMPLE_COLUMNS)
    lessons: Lessons | None = None
    found = {}
    for arm in arms:
        key = arm_key(arm, (pack.digest, content.digest), params, steps)
        tables = {branch: out / arm.title / f"{branch}.parquet" for branch in BRANCHES}
        if not all(_is_of(table, key) for table in tables.values()):
            lessons = lessons or read_lessons(pack, content, params.spoof.framing > 0)
            model = Branches(train_arm(arm, lessons, params, steps).network)
            _write(model, pack, tables, {"arm": arm.title, "key": key, "steps": steps})
        found[arm.title] = tables
    return found


def arm_key(arm: Arm, digests: tuple[str, str], params: Params, steps: int) -> str:
    """Names all that decides an arm's scores: recipe, trainer, data, steps and source code."""
    decided = {
        "arm": asdict(arm),
        "digests": digests,
        "recipe": params.spoof.model_dump(mode="json"),
        "trainer": params.trainer.model_dump(mode="json", exclude={"workers"}),
        "steps": steps,
        "code": code_digest(),
    }
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def _is_of(table: Path, key: str) -> bool:
    try:
        return read_table(table)[1].get("key") == key
    except PackError:
        return False


def _write(model: Branches, pack: Pack, tables: dict[str, Path], about: dict[str, Any]) -> None:
    rows = np.concatenate([rows_of(pack, split) for split in MEASURED])
    scores = answers(model, pack, rows, f"scoring {about['arm']}")
    columns = {name: pack.column(name)[rows] for name in ("sample_id", "subject_id", "species", "split")}
    sources = sorted(set(pack.column("source")))
    about |= {
        "dataset": "+".join(sources),
        "synthetic": sources == ["synthetic"],
        "crops_digest": pack.digest,
    }
    for number, (branch, table) in enumerate(tables.items()):
        write_table(table, {**columns, "score": scores[:, number]}, Task.SPOOF, {**about, "branch": branch})

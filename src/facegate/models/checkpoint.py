"""A trained network on disk: its weights beside what rebuilds it, free of pickled code.

``model.pt`` is a plain state dict that loads with ``weights_only=True``; ``network.json`` names the task, the
arguments of ``build_network`` and the SHA-256 of the weights, and is written last: without it nothing counts.
"""

import hashlib
import importlib
import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facegate.contracts import Task
from facegate.errors import CheckpointError
from facegate.models.blocks import parameter_count
from facegate.whole import write_whole

WEIGHTS = "model.pt"
DESCRIPTION = "network.json"
_UNREADABLE = (RuntimeError, ValueError, EOFError, pickle.UnpicklingError)


def save_trained(
    folder: Path,
    network: nn.Module,
    task: Task,
    kwargs: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained network; equal networks give equal bytes.

    Args:
        folder: created if need be.
        network: as ``build_network(**kwargs)`` of the task gives it.
        task: which ``build_network``.
        kwargs: its arguments, plain JSON values.
        training: anything JSON can hold about how it was trained.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    description = {
        "task": str(task),
        "kwargs": dict(kwargs),
        "parameters": parameter_count(network),
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "training": dict(training or {}),
    }
    (folder / DESCRIPTION).unlink(missing_ok=True)
    write_whole(folder / WEIGHTS, buffer.getvalue())
    write_whole(folder / DESCRIPTION, json.dumps(description, indent=2, sort_keys=True) + "\n")


def load_trained(folder: Path) -> tuple[Task, nn.Module]:
    """Rebuild a trained network, in evaluation mode.

    Raises:
        CheckpointError: it is missing, incomplete, edited, or of a task that this version does not know.
    """
    description = read_description(folder)
    try:
        data = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(data).hexdigest() != description["sha256"]:
            raise _broken(folder / WEIGHTS, f"its SHA-256 differs from {DESCRIPTION}")
        task = Task(description["task"])
        builder = importlib.import_module(f"facegate.models.{task}.network").build_network
        network: nn.Module = builder(**description["kwargs"])
        network.load_state_dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
    except (*_UNREADABLE, OSError, KeyError, TypeError, ModuleNotFoundError) as error:
        raise _broken(folder, str(error).splitlines()[0]) from error
    return task, network.eval()


def read_description(folder: Path) -> dict[str, Any]:
    """Contents of ``network.json``.

    Raises:
        CheckpointError: it is missing or no JSON object.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
    except FileNotFoundError as error:
        raise _broken(folder, f"{DESCRIPTION} is missing") from error
    except ValueError as error:
        raise _broken(folder / DESCRIPTION, str(error)) from error
    if not isinstance(description, dict):
        raise _broken(folder / DESCRIPTION, "not a JSON object")
    return description


def _broken(path: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{path}: not a whole trained network: {why}", "run `dvc repro` to train it anew")

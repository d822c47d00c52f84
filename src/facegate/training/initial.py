"""Weights that training goes on from, in place of random ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.models.checkpoint import load_trained, read_description
from facegate.params import RecognitionParams

ORIGIN = "origin.json"
"""Beside the weights of a registered version: which one it is, and what it was trained on."""


@dataclass(frozen=True)
class Initial:
    """A trained network to go on from.

    Attributes:
        network: the network.
        kwargs: arguments of ``build_network`` that rebuild it.
        about: SHA-256 of its weights; version and training data, where they are known.
    """

    network: nn.Module
    kwargs: Mapping[str, Any]
    about: Mapping[str, Any]


def load_initial(folder: Path, params: RecognitionParams) -> Initial:
    """Read the weights that a recogniser is to go on from.

    Raises:
        CheckpointError: the folder holds no whole trained network.
        ParamsError: it is no recogniser, or of another architecture than the recipe asks for.
    """
    task, network = load_trained(folder)
    description = read_description(folder)
    if task is not Task.RECOGNITION:
        raise ParamsError(f"`recognition.init_from`: {folder} is a network for {task}", "name a recogniser")
    kwargs = description["kwargs"]
    for name in ("backbone", "width", "embedding"):
        wanted = getattr(params, name)
        if kwargs[name] != wanted:
            raise ParamsError(
                f"`recognition.init_from`: its {name} is {kwargs[name]}, and `recognition.{name}` is {wanted}",
                f"set `recognition.{name}: {kwargs[name]}`, or start from random weights",
            )
    if params.lessons and not kwargs["student"]:
        raise ParamsError(
            "`recognition.init_from`: it was trained on labels, and `recognition.lessons` makes a student of it",
            "set `recognition.lessons: null`, or start from a network that had a teacher",
        )
    origin = folder / ORIGIN
    known = json.loads(origin.read_text()) if origin.is_file() else {}
    return Initial(network, kwargs, {"sha256": description["sha256"], **known})

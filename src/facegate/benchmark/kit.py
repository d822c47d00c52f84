"""The device kit: a folder to copy onto a board, and the result that comes back.

The kit holds bundles, one script that needs NumPy and ONNX Runtime only, and the requirements to install. What
the script writes there (``result.json``) is read here again, and refused if it speaks of other models.
"""

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from facegate.benchmark.device import KIT_VERSION
from facegate.errors import BundleError
from facegate.runtime.bundle import CONTRACT, GOLDEN, MODEL, load_bundle
from facegate.whole import whole_folder

REQUIRED = ("numpy", "onnxruntime")
PLATFORMS = {
    "arm64": ("manylinux_2_27_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"),
    "x86-vnni": ("manylinux_2_27_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "x86-avx2": ("manylinux_2_27_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
}
"""Wheel platforms of each target, for ``pip download``."""
PYTHON = "3.11"
"""Version whose wheels are asked for."""

_README = """# facegate device kit

Runs the golden check and the benchmark of {names} on this device.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python run.py            # writes result.json; --threads N, --runs N

Without a network, fetch the wheels elsewhere first and add `--no-index --find-links wheels` to the installation:

    {download}

Bring `result.json` back: `facegate benchmark import result.json`.
"""


class DeviceModel(BaseModel):
    """One model of a device's result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    target: str
    model_sha256: str
    golden: dict[str, float | bool]
    load_ms: float
    latency_ms: dict[str, float]


class DeviceResult(BaseModel):
    """What ``run.py`` writes on a device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kit_version: int
    machine: dict[str, Any]
    threads: int
    import_ms: float
    peak_mb: float | None
    models: dict[str, DeviceModel]


def write_kit(bundles: Mapping[str, Path], out: Path, target: str) -> list[str]:
    """Write a kit, replacing what was there.

    Args:
        bundles: folder of each bundle by the name that it shall have in the kit.
        out: folder of the kit.
        target: family of processors of the device, a key of :data:`PLATFORMS`.

    Returns:
        The files of the kit, relative and sorted.

    Raises:
        BundleError: a bundle is broken, or the target is unknown.
    """
    check_target(target)
    with whole_folder(out) as draft:
        for name, folder in bundles.items():
            load_bundle(folder)
            (draft / "bundles" / name).mkdir(parents=True)
            for file in (MODEL, CONTRACT, GOLDEN):
                shutil.copyfile(folder / file, draft / "bundles" / name / file)
        (draft / "run.py").write_text((files("facegate.benchmark") / "device.py").read_text())
        (draft / "requirements.txt").write_text("".join(f"{name}=={version(name)}\n" for name in REQUIRED))
        readme = _README.format(names=", ".join(bundles), download=download_command(target))
        (draft / "README.md").write_text(readme)
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def check_target(target: str) -> None:
    """Refuse a family of processors that no kit can be made for.

    Raises:
        BundleError: the target is no key of :data:`PLATFORMS`.
    """
    if target not in PLATFORMS:
        raise BundleError(f"no device target `{target}`", f"choose one of {', '.join(PLATFORMS)}")


def download_command(target: str) -> str:
    """Command line that fetches the wheels of a target on another machine."""
    return f"pip download -r requirements.txt -d wheels {' '.join(wheel_options(target))}"


def wheel_options(target: str) -> list[str]:
    """Options by which pip takes the wheels of a target and not of the machine that it runs on."""
    platforms = [word for name in PLATFORMS[target] for word in ("--platform", name)]
    return ["--only-binary", ":all:", *platforms, "--python-version", PYTHON]


def read_result(path: Path, known: Mapping[str, str] | None = None) -> DeviceResult:
    """Read what a device sent back.

    Args:
        path: ``result.json``.
        known: SHA-256 of models by any name; given, a result about another model is refused.

    Raises:
        BundleError: no such file, not a result, of another kit version, or about unknown models.
    """
    try:
        result = DeviceResult.model_validate(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise BundleError(f"{path}: no such file", "copy result.json from the device") from error
    except (ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(
            f"{path}: not a device result: {reason}", "run run.py on the device again"
        ) from error
    if result.kit_version != KIT_VERSION:
        raise BundleError(
            f"{path}: written by kit version {result.kit_version}, this facegate reads {KIT_VERSION}",
            "write the kit anew and run it again",
        )
    hashes = set((known or {}).values())
    strangers = [name for name, model in result.models.items() if known and model.model_sha256 not in hashes]
    if strangers:
        raise BundleError(
            f"{path}: {', '.join(strangers)}: a model that this project does not have",
            "import it where the kit was written",
        )
    return result

"""Sizes of an installation on another platform, from wheels that are not installed."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from facegate.benchmark import wheels
from facegate.benchmark.wheels import fetch_wheels, wheel_sizes
from facegate.errors import FacegateError


def write_wheel(folder: Path, name: str, size: int) -> None:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package/data.bin", bytes(size))
        archive.writestr("package/__init__.py", "")


def test_size_is_that_of_the_unpacked_files_the_largest_first(tmp_path: Path) -> None:
    write_wheel(tmp_path, "small-1.0-py3-none-any.whl", 250_000)
    write_wheel(tmp_path, "large-2.5-cp311-cp311-manylinux_2_28_aarch64.whl", 3_000_000)
    assert (tmp_path / "large-2.5-cp311-cp311-manylinux_2_28_aarch64.whl").stat().st_size < 100_000
    sizes = wheel_sizes(tmp_path)
    assert list(sizes.items()) == [("large 2.5", 3.0), ("small 1.0", 0.25)]


def test_a_cut_off_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(FacegateError, match=r"broken-1\.0-py3-none-any\.whl: not a wheel"):
        wheel_sizes(tmp_path)


def test_an_unknown_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacegateError, match=r"no device target `toaster`.*\n?.*arm64"):
        fetch_wheels("toaster", ["numpy"], tmp_path)


def test_pip_is_asked_for_the_platform_and_its_refusal_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "noise\nERROR: No matching distribution\n")

    monkeypatch.setattr(wheels.subprocess, "run", refuse)
    with pytest.raises(FacegateError, match="wheels of arm64: No matching distribution"):
        fetch_wheels("arm64", ["numpy"], tmp_path)
    assert "manylinux_2_28_aarch64" in asked[0] and asked[0][-1] == "numpy"

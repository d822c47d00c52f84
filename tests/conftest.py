"""Shared fixtures, and what happens when a real component is missing."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")

ROOT = Path(__file__).parents[1]


def missing(component: str, remedy: str) -> NoReturn:
    """Skip on a user's machine; fail where FACEGATE_REQUIRE_ALL says that everything must run."""
    message = f"{component} is missing: {remedy}"
    if os.environ.get("FACEGATE_REQUIRE_ALL"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def photos() -> Path:
    """Four public-domain photographs of real people; see tests/data/photos/README.md."""
    return ROOT / "tests" / "data" / "photos"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a real browser."""
    path = shutil.which("chromium")
    if path is None:
        missing("chromium", "apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def head_file() -> Path:
    """The head that every rendered person is a variation of: made by the fetch stage, or named by FACEGATE_HEAD."""
    path = Path(os.environ.get("FACEGATE_HEAD", ROOT / "data" / "assets" / "head.npz"))
    if not path.is_file():
        missing(str(path), "run `dvc repro fetch`, or set FACEGATE_HEAD to a head.npz")
    return path

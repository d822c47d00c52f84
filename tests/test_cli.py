"""The command line: quick help, readable errors."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def facegate(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facegate.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_help_imports_no_heavy_library() -> None:
    heavy = ("torch", "mlflow", "dvc", "cv2", "numpy", "pandas")
    code = f"import sys, facegate.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["doctor", "verify", "spoof", "registry", "profile", "ui"])
def test_help_names_every_command(command: str) -> None:
    assert command in facegate("--help").stdout


def test_an_unknown_profile_ends_with_a_remedy_and_no_traceback() -> None:
    done = facegate("profile", "use", "smok")
    assert done.returncode == 1
    assert "did you mean `smoke`?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("task", "told"), [("nobody", "choose one of recognition"), ("eyes", "tune.eyes.trials` is 0")]
)
def test_a_sweep_that_cannot_begin_says_why(task: str, told: str) -> None:
    done = facegate("tune", task)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_profiles_are_listed() -> None:
    assert {"embedded", "smoke"} <= set(facegate("profile", "list").stdout.split())

"""The command line: quick help, readable errors."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from facegate import cli

ROOT = Path(__file__).parents[1]


def facegate(
    *arguments: str, cwd: Path = ROOT, answer: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facegate.cli", *arguments]
    return subprocess.run(
        command, cwd=cwd, input=answer, capture_output=True, text=True, timeout=120, check=False
    )


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("kit", "--target", "toaster"), "choose one of arm64, x86-vnni, x86-avx2"),
        (
            ("kit", "--target", "arm64", "--task", "nobody"),
            "choose one of recognition, spoof, liveness, eyes",
        ),
        (("results", "--write", "nowhere.md"), "nowhere.md: no such page"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(arguments: tuple[str, ...], told: str) -> None:
    done = facegate(*arguments)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_no_machine_has_starts_no_server() -> None:
    done = facegate("ui", "--port", "70000")
    assert done.returncode == 2
    assert "65535" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("answer", ["", "n\n"])
def test_a_question_that_nobody_answers_changes_nothing_and_says_how_to_go_on(answer: str) -> None:
    done = facegate("rollback", answer=answer)
    assert done.returncode == 1
    assert "no alias was changed" in done.stderr and "--yes" in done.stderr


def test_outside_a_project_there_are_no_profiles(tmp_path: Path) -> None:
    done = facegate("profile", "list", cwd=tmp_path)
    assert done.returncode == 1
    assert "run from the project's folder" in done.stderr


def test_a_full_disk_ends_a_command_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "kit/run.py")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit, match=r"facegate: the disk is full: .*kit/run\.py"):
        cli.main()


def test_an_unforeseen_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "x")

    monkeypatch.setattr(cli, "app", missing)
    with pytest.raises(FileNotFoundError):
        cli.main()


def test_profiles_are_listed() -> None:
    assert {"embedded", "smoke"} <= set(facegate("profile", "list").stdout.split())

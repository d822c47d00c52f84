"""What every stage shares: errors that can be read, JSON written whole."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from facegate.errors import PackError
from facegate.params import Params
from pipelines.stage import run, write_json

ROOT = Path(__file__).parents[2]


@pytest.fixture
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("in_project")
def test_an_error_of_the_user_ends_without_a_traceback() -> None:
    def stage(_: Params) -> None:
        raise PackError("data/x: corrupt", "run `dvc repro`")

    with pytest.raises(SystemExit) as end:
        run(stage)
    assert str(end.value) == "facegate: data/x: corrupt\n  → run `dvc repro`"


@pytest.mark.usefixtures("in_project")
def test_a_full_disk_is_named_and_other_io_errors_are_not_hidden() -> None:
    def stage(_: Params) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "artifacts/model.onnx")

    with pytest.raises(SystemExit, match=r"the disk is full.*artifacts/model\.onnx"):
        run(stage)

    def other(_: Params) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "artifacts")

    with pytest.raises(PermissionError):
        run(other)


def test_a_stage_outside_the_project_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"params\.yaml: no such file"):
        run(lambda _: None)


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "metrics.json"
    write_json(path, {"b": 1, "a": 0.5})
    assert path.read_text() == '{\n  "a": 0.5,\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 0.5, "b": 1}


def test_every_stage_of_the_graph_has_its_module() -> None:
    from facegate.params import read_yaml

    for stage in read_yaml(ROOT / "dvc.yaml")["stages"].values():
        module = stage.get("do", stage)["cmd"].split()[2]
        file = ROOT / f"{module.replace('.', '/')}.py"
        assert file.is_file()
        assert len(file.read_text().splitlines()) <= 60, f"{file}: a stage holds no logic"


def test_the_interpreter_of_a_stage_does_not_look_through_everything_at_its_end() -> None:
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"  # what was asked for first comes last
    for stage in ("import pipelines", "from facegate.cli import main; main()"):
        done = subprocess.run(
            [sys.executable, "-c", f"{last}; {stage}", "profile", "list"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout.split()[-1]) > 1000

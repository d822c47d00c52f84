"""The systemd unit: hardened, and starting a command that exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

UNIT = Path(__file__).parents[2] / "deploy" / "facegate.service"


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


def test_it_starts_a_command_with_options_that_exist() -> None:
    from facegate.cli import app

    (command,) = values("ExecStart")
    program, name, *options = command.split()
    assert program.endswith("/facegate")
    known = typer.main.get_command(app).commands[name].params  # type: ignore[attr-defined]
    names = {option for parameter in known for option in parameter.opts}
    assert {option for option in options if option.startswith("-")} <= names


def test_its_data_lies_where_systemd_makes_a_folder_for_it() -> None:
    (folder,) = values("StateDirectory")
    assert f"FACEGATE_SERVE_DATA=/var/lib/{folder}" in values("Environment")
    assert values("StateDirectoryMode") == ["0700"]
    assert values("UMask") == ["0077"]


def test_it_gives_the_service_time_to_end() -> None:
    from facegate.serving.launch import GRACE_S

    assert int(values("TimeoutStopSec")[0]) > GRACE_S


def test_it_may_do_nothing_but_serve() -> None:
    for key in (
        "NoNewPrivileges",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectKernelModules",
        "DynamicUser",
    ):
        assert values(key) == ["yes"], key
    assert values("ProtectSystem") == ["strict"]
    assert values("CapabilityBoundingSet") == [""]
    assert values("SystemCallErrorNumber") == ["EPERM"]  # a refused call must not kill the process


def test_systemd_understands_it(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")

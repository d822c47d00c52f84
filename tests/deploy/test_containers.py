"""The container file and compose: linted, and true to the code they start."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from facegate.serving.settings import PREFIX, Settings
from tests.deploy.containerfile import allowed, copied, final, lint, parse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "Containerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("FROM python AS a", "DL3007"),
        ("FROM python:latest AS a", "DL3007"),
        ("FROM python:3.12\nUSER 1", "unnamed"),
        ("FROM python:3.12 AS a\nADD x y", "DL3020"),
        ("FROM python:3.12 AS a\nCMD facegate serve", "DL3025"),
        ("FROM python:3.12 AS a\nUSER root", "DL3002"),
        ("FROM python:3.12 AS a\nUSER 0:0", "DL3002"),
        ("FROM python:3.12 AS a\nWORKDIR app", "DL3000"),
        ("FROM python:3.12 AS a\nENV DB_PASSWORD=x", "secret"),
        ("FROM python:3.12 AS a\nRUN mkdir x && cd x", "DL3003"),
        ("FROM python:3.12 AS a\nRUN sudo ls", "DL3004"),
        ("FROM python:3.12 AS a\nRUN pip install -c c.txt x", "DL3042"),
        ("FROM python:3.12 AS a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install \\\n  x", "DL3013"),
        ("FROM python:3.12 AS a\nRUN apt-get install -y x && rm -rf /var/lib/apt/lists/*", "DL3015"),
        ("FROM python:3.12 AS a\nRUN apt-get install -y --no-install-recommends x", "DL3009"),
        ("FROM python:3.12 AS a\nRUN a | b", "DL4006"),
    ],
)
def test_the_linter_finds_what_it_is_for(text: str, rule: str) -> None:
    assert lint(text) == {rule}


def test_the_container_file_is_clean() -> None:
    assert lint(TEXT) == set()


def test_what_is_shipped_runs_as_nobody_special_and_says_whether_it_lives() -> None:
    shipped = final(TEXT)
    assert set(shipped) == {"facegate", "mlflow"}
    for stage in shipped.values():
        assert re.fullmatch(r"\d{4,}:\d{4,}", stage.last("USER") or "")
        assert stage.last("HEALTHCHECK")
        assert stage.last("EXPOSE")


def test_everything_that_is_copied_is_there_and_reaches_the_build() -> None:
    through = allowed(DEPLOY / "Containerfile.dockerignore")
    wanted = [name for stage in parse(TEXT) for name in copied(stage)]
    assert wanted
    assert [name for name in wanted if not (ROOT / name).exists() or name not in through] == []


def test_the_lock_pins_what_the_images_install() -> None:
    lock = (ROOT / "requirements" / "lock.txt").read_text().lower()
    assert re.search(r"^mlflow==", lock, re.MULTILINE)
    assert re.search(r"^fastapi==", lock, re.MULTILINE)


def test_compose_starts_service_tracking_and_database(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"app", "mlflow", "postgres"}
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert any(mount.startswith("/tmp:") for mount in service["tmpfs"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "privileged" not in service, name


def test_compose_names_only_what_it_declares(compose: dict[str, Any]) -> None:
    targets = final(TEXT)
    for name, service in compose["services"].items():
        assert {v.split(":")[0] for v in service["volumes"]} <= set(compose["volumes"]), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        if "build" in service:
            build = service["build"]
            assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Containerfile"
            assert build["target"] in targets
        else:
            assert re.search(r":\d+", service["image"]), name
        for other, condition in service.get("depends_on", {}).items():
            neighbour = compose["services"][other]
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in neighbour or targets[neighbour["build"]["target"]].last("HEALTHCHECK")


def test_only_the_database_is_out_of_reach_from_outside(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    assert compose["services"]["postgres"]["networks"] == ["inside"]
    assert "ports" not in compose["services"]["postgres"]


def test_every_setting_exists_and_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    names = re.findall(
        rf"\b{PREFIX}(\w+)", TEXT + json.dumps(compose) + (DEPLOY / "facegate.service").read_text()
    )
    assert len(set(names)) >= 5
    assert {name.lower() for name in names} <= set(Settings.model_fields)
    asked = (DEPLOY / "example.env").read_text()
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "PASSWORD" in value:
                assert "${POSTGRES_PASSWORD:?" in value
            for variable in re.findall(r"\$\{(\w+)", value):
                assert f"{variable}=" in asked
    assert re.search(r"^POSTGRES_PASSWORD=$", asked, re.MULTILINE)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().split()


def test_the_service_listens_where_compose_looks(compose: dict[str, Any]) -> None:
    app = final(TEXT)["facegate"]
    assert app.last("EXPOSE") == "8000"
    assert f"{PREFIX}PORT=8000" in str(app.last("ENV"))
    assert compose["services"]["app"]["ports"] == ["127.0.0.1:8000:8000"]
    data = re.search(rf"{PREFIX}DATA=(\S+)", str(app.last("ENV")))
    assert data
    assert compose["services"]["app"]["volumes"][0].split(":")[1] == data.group(1)


def test_compose_itself_accepts_the_file() -> None:
    """Only where Docker's compose is installed; the checks above hold everywhere."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed: https://docs.docker.com/compose/install")
    command = [docker, "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "POSTGRES_PASSWORD": "x"}
    )
    assert done.returncode == 0, done.stderr

"""A release of tiny models on the disk, and a service around it, without a network and without a clock."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient

from facegate.contracts import Calibration, OperatingPoint, Task
from facegate.registry.release import Manifest, write_manifest
from facegate.runtime.bundle import write_bundle
from facegate.serving.app import create_app
from facegate.serving.service import Service, open_service
from facegate.serving.settings import Settings
from facegate.serving.store.keys import Role
from tests.runtime.tiny import make_contract, make_model, pictures, reference

LIVE = Calibration(kind="logistic", slope=0.0, offset=3.0, dataset="rendered")
ATTACK = Calibration(kind="logistic", slope=0.0, offset=-3.0, dataset="rendered")


def points(task: Task, threshold: float) -> dict[str, OperatingPoint]:
    ((name, point),) = make_contract(task).operating_points.items()
    return {name: point.model_copy(update={"threshold": threshold})}


def write_release(folder: Path, *, live: bool = True, same: float = 0.9, name: str = "tiny") -> Manifest:
    """A pulled release: every face is live or none is; ``same`` is the threshold of likeness."""
    spoof = {
        "operating_points": points(Task.SPOOF, 0.0 if live else 1.1),
        "calibration": LIVE if live else ATTACK,
    }
    changes: dict[Task, dict[str, Any]] = {
        Task.RECOGNITION: {"operating_points": points(Task.RECOGNITION, same)},
        Task.SPOOF: spoof,
    }
    for task, values in changes.items():
        golden = pictures(2)
        contract = make_contract(task, name=f"{name}-{task}", **values)
        place = folder / "models" / task
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bundle(place, make_model(task), contract, golden, reference(golden, task))
        (folder / "evidence" / task).mkdir(parents=True, exist_ok=True)
    return write_manifest(folder, {task: (f"{name}-{task}", 1) for task in changes})


def replace_release(folder: Path, **values: Any) -> None:
    """Put another release into the place of one."""
    draft = folder.with_name("draft")
    write_release(draft, **values)
    shutil.rmtree(folder)
    draft.rename(folder)


class Running(NamedTuple):
    """A service under test."""

    service: Service
    client: TestClient
    admin: dict[str, str]
    operator: dict[str, str]
    kiosk: dict[str, str]
    key: str


@pytest.fixture(scope="session")
def live_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "live"
    write_release(folder)
    return folder


@pytest.fixture(scope="session")
def attack_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "attack"
    write_release(folder, live=False)
    return folder


@pytest.fixture
def run(tmp_path: Path, live_release: Path) -> Iterator[Callable[..., Running]]:
    """Starts a service; keyword arguments change its settings."""
    clients: list[TestClient] = []

    def start(release: Path = live_release, **changes: Any) -> Running:
        values = {
            "source": "folder",
            "folder": release,
            "data": tmp_path / "var",
            "poll_s": 3600.0,
            "slots": 2,
        }
        service = open_service(Settings.model_validate({**values, **changes}))
        service.production.refresh()
        client = TestClient(create_app(service), raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        secrets = {role: service.keys.create(role, role.value).secret for role in Role}
        headers = {role: {"Authorization": f"Bearer {secret}"} for role, secret in secrets.items()}
        return Running(
            service,
            client,
            headers[Role.ADMIN],
            headers[Role.OPERATOR],
            headers[Role.KIOSK],
            secrets[Role.KIOSK],
        )

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def running(run: Callable[..., Running]) -> Running:
    return run()

"""A release of tiny models on the disk, and services around it, without a network."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from facegate.contracts import Calibration, OperatingPoint, Task
from facegate.faces.picture import load_picture
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


def write_release(
    folder: Path,
    *,
    live: bool = True,
    same: float = 0.9,
    name: str = "tiny",
    calibrated: bool = True,
    size: int = 16,
) -> Manifest:
    """A pulled release: every face is live or none is; ``same`` is the threshold of likeness."""
    calibration = (LIVE if live else ATTACK) if calibrated else Calibration()
    changes: dict[Task, dict[str, Any]] = {
        Task.RECOGNITION: {"operating_points": points(Task.RECOGNITION, same)},
        Task.SPOOF: {
            "operating_points": points(Task.SPOOF, 0.0 if live else 1.1),
            "calibration": calibration,
        },
    }
    for task, values in changes.items():
        side = size if task is Task.RECOGNITION else 16
        golden = pictures(2, side)
        contract = make_contract(task, side, name=f"{name}-{task}", **values)
        place = folder / "models" / task
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bundle(place, make_model(task, side), contract, golden, reference(golden, task))
        (folder / "evidence" / task).mkdir(parents=True, exist_ok=True)
    return write_manifest(folder, {task: (f"{name}-{task}", 1) for task in changes})


def replace_release(folder: Path, **values: Any) -> None:
    """Put another release into the place of one."""
    draft = folder.with_name(f"{folder.name}.draft")
    write_release(draft, **values)
    shutil.rmtree(folder)
    draft.rename(folder)


def jpeg(rgb: np.ndarray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


class Running(NamedTuple):
    """A service under test."""

    service: Service
    client: TestClient
    admin: dict[str, str]
    operator: dict[str, str]
    kiosk: dict[str, str]
    key: str


@contextmanager
def served(folder: Path, release: Path, **changes: Any) -> Iterator[Running]:
    """A running service whose watch never looks by itself."""
    values = {"source": "folder", "folder": release, "data": folder, "poll_s": 3600.0, "slots": 2}
    service = open_service(Settings.model_validate({**values, **changes}))
    service.production.refresh()
    secrets = {role: service.keys.create(role, role.value).secret for role in Role}
    headers = {role: {"Authorization": f"Bearer {secret}"} for role, secret in secrets.items()}
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield Running(
            service,
            client,
            headers[Role.ADMIN],
            headers[Role.OPERATOR],
            headers[Role.KIOSK],
            secrets[Role.KIOSK],
        )


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
    """Starts services; keyword arguments change the settings."""
    with ExitStack() as stack:

        def start(release: Path = live_release, **changes: Any) -> Running:
            return stack.enter_context(served(tmp_path / "var", release, **changes))

        yield start


@pytest.fixture
def running(run: Callable[..., Running]) -> Running:
    return run()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, live_release: Path) -> Iterator[Running]:
    """One service for the tests of a file that leave nothing behind in it."""
    with served(tmp_path_factory.mktemp("shared"), live_release, rate=1e6, burst=10**6) as running:
        yield running


def resized(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="session")
def portraits(photos: Path) -> dict[str, bytes]:
    """The photographs of real people, small enough to be quick."""
    found = {}
    for path in sorted([*photos.glob("*.jpg"), *photos.glob("*.png")]):
        rgb = load_picture(path)
        height, width = (round(side * 320 / max(rgb.shape[:2])) for side in rgb.shape[:2])
        found[path.stem] = jpeg(resized(rgb, (width, height)))
    return found


@pytest.fixture(scope="session")
def crowd(portraits: dict[str, bytes]) -> bytes:
    """Three people side by side."""
    names = ("astronaut", "biden", "obama")
    return jpeg(np.hstack([resized(load_picture(portraits[name]), (256, 320)) for name in names]))

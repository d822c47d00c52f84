"""The whole door with nothing left out but trained networks: service, database, browser, page, camera.

The networks are tiny stand-ins whose answer is set by their contract: one lets everybody pass as live, one nobody.
Whether trained networks decide well is measured by ``facegate.benchmark.kiosk_trial``.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pytest

from facegate.benchmark.kiosk_clips import in_frame, rendered, write_y4m
from facegate.benchmark.kiosk_door import running
from facegate.benchmark.kiosk_visit import Visit, visit
from facegate.contracts import AttackSpecies, Calibration, Task
from facegate.runtime.bundle import write_bundle
from facegate.synthesis.assets import load_head_assets
from tests.runtime.tiny import make_contract, make_model, pictures, reference

pytestmark = pytest.mark.browser
SIDE, FRAMES = 240, 20


@pytest.fixture(scope="module")
def person(head_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A clip of a rendered person in a frame, and a picture of it to enrol from."""
    head = load_head_assets(head_file)
    clip = rendered(head, 7, 12, AttackSpecies.BONA_FIDE, side=SIDE, frames=FRAMES)
    path = tmp_path_factory.mktemp("clip") / "person.y4m"
    write_y4m(path, [in_frame(frame) for frame in clip])
    return path, cv2.imencode(".jpg", in_frame(clip[0]))[1].tobytes()


def bundles(folder: Path, live: bool) -> Path:
    """Stand-ins: anybody is the one who is enrolled, and everybody is live, or nobody."""
    for task in (Task.RECOGNITION, Task.SPOOF):
        contract = make_contract(task)
        threshold = -1.0 if task is Task.RECOGNITION or live else 2.0
        points = {
            k: p.model_copy(update={"threshold": threshold}) for k, p in contract.operating_points.items()
        }
        offset = 3.5 if live else -3.5
        calibration = Calibration(kind="logistic", slope=1e-6, offset=offset, dataset="none")
        contract = make_contract(task, operating_points=points, calibration=calibration)
        golden = pictures(3)
        write_bundle(folder / task.value, make_model(task), contract, golden, reference(golden, task))
    return folder


def show(chromium: str, tmp_path: Path, person: tuple[Path, bytes], live: bool) -> tuple[dict, Visit]:
    clip, picture = person
    data = tmp_path / "data"
    data.mkdir()
    with running(data, bundles(tmp_path / "models", live)) as door:
        answer = door.enrol("Ada", [picture])
        with ThreadPoolExecutor(1) as apart:  # another browser of this process holds this thread's event loop
            seen = apart.submit(
                visit, chromium, door.address, door.key, clip, seconds=5.0, picture=tmp_path / "page.png"
            )
            return answer, seen.result()


def test_a_live_person_is_enrolled_and_marked_at_the_door(chromium: str, tmp_path: Path, person) -> None:
    answer, seen = show(chromium, tmp_path, person, live=True)
    assert answer["person"]["name"] == "Ada"
    assert list(seen.marked) == ["Ada"]
    assert seen.shown == ("Ada",)
    assert seen.headline == "Ada"
    assert [name for _, name in seen.decisions] == ["Ada"]
    ((where, _),) = seen.decisions
    assert abs(where - 320) < 60  # the face stands in the middle of the frame
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page is not None
    assert page.shape == (800, 1280, 3)


def test_an_attack_is_neither_enrolled_nor_marked(chromium: str, tmp_path: Path, person) -> None:
    answer, seen = show(chromium, tmp_path, person, live=False)
    assert answer.get("person") is None
    assert answer["pictures"][0]["reasons"] == ["spoof"]
    assert seen.marked == {}
    assert seen.shown == ()
    assert seen.headline == "This does not look like a live person"
    assert [name for _, name in seen.decisions] == ["spoof"]

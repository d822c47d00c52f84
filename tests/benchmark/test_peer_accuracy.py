import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facegate.benchmark import peers
from facegate.benchmark.peer_accuracy import Recognised, compare_peers, of_dlib, of_sface, peer_table
from facegate.evaluation.tables import Comparisons
from facegate.params import EvaluateParams

PEOPLE, EACH = 6, 3


def everybody_with_everybody() -> Comparisons:
    """Three pictures of each of six people, every pair of them."""
    subjects = np.repeat(np.arange(PEOPLE), EACH)
    probe, reference = np.triu_indices(len(subjects), 1)
    names = np.array([f"s{i}" for i in range(len(subjects))])
    people = np.array([f"p{i}" for i in range(PEOPLE)], object)
    mated = subjects[probe] == subjects[reference]
    return Comparisons(names, subjects, people, probe, reference, mated, np.zeros(len(probe), np.float32))


def each_a_direction(test: Comparisons) -> np.ndarray:
    return np.eye(PEOPLE, dtype=np.float32)[test.subjects]


def test_angles_and_distances_by_hand() -> None:
    test = everybody_with_everybody()
    embeddings = 2 * each_a_direction(test)
    by_angle = Recognised(embeddings, lambda: None).scores(test)
    by_distance = Recognised(embeddings, lambda: None, by_distance=True).scores(test)
    np.testing.assert_allclose(by_angle, np.where(test.mated, 1, 0))
    np.testing.assert_allclose(by_distance, np.where(test.mated, 0, -np.sqrt(8)), rtol=1e-6)


def test_each_recogniser_gets_its_own_errors_and_time() -> None:
    test = everybody_with_everybody()
    right = each_a_direction(test)
    guess = np.random.default_rng(0).normal(size=right.shape)
    calls = {"right": 0, "guess": 0}

    def once(name: str) -> None:
        calls[name] += 1

    found = {
        "right": Recognised(right, lambda: once("right")),
        "guess": Recognised(guess, lambda: once("guess"), by_distance=True, unseen=2),
    }
    report = compare_peers(found, test, EvaluateParams(bootstrap=100), runs=4)
    models = report["models"]
    assert models["right"]["eer"]["value"] == 0
    assert models["guess"]["eer"]["value"] > 0.2
    assert models["guess"]["unseen"] == 2
    assert models["right"]["latency_ms"]["runs"] == 4
    assert calls == {"right": 9, "guess": 9}
    assert (report["comparisons"], report["pictures"], report["people"]) == (153, 18, 6)
    page = peer_table(report, synthetic=True)
    assert "| right | 0.00 % (0.00–45.93) |" in page
    assert "*synthetic*" in page
    assert "*synthetic*" not in peer_table(report, synthetic=False)


def test_peers_that_are_not_here_do_not_take_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "_package_folder", lambda name: None)
    nothing = np.empty(0, np.intp)
    assert of_dlib(None, nothing) is None  # pyright: ignore[reportArgumentType]
    assert of_sface(tmp_path / "none.onnx", None, nothing) is None  # pyright: ignore[reportArgumentType]


class Box(SimpleNamespace):
    """A rectangle as dlib has them."""

    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)


@pytest.fixture
def dlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Stands for dlib: finds a small and a large face in bright pictures and embeds the box that it is given; which weights
    it was given."""
    opened: list[Any] = []

    def model(kind: str) -> Any:
        def open_(path: str) -> Any:
            opened.append(Path(path).name)
            embed = SimpleNamespace(
                compute_face_descriptor=lambda picture, box=None: [box.left if box else 0.0]
            )
            return embed if kind == "embed" else (lambda picture, box: box)

        return open_

    module = SimpleNamespace(
        get_frontal_face_detector=lambda: (
            lambda picture, twice=0: (
                [Box(left=1, top=0, right=2, bottom=1), Box(left=2, top=0, right=9, bottom=9)]
                if picture.mean() > 100
                else []
            )
        ),
        shape_predictor=model("locate"),
        face_recognition_model_v1=model("embed"),
        rectangle=lambda left, top, right, bottom: Box(left=left, top=top, right=right, bottom=bottom),
    )
    monkeypatch.setattr(peers, "_package_folder", lambda name: tmp_path)
    monkeypatch.setattr(peers, "installed", lambda name: True)
    monkeypatch.setitem(sys.modules, "dlib", module)
    return opened


def test_dlib_embeds_its_largest_face_or_what_facegate_finds(dlib: list[Any]) -> None:
    pictures = [np.full((8, 8, 3), shade, np.uint8) for shade in (200, 0)]
    stills: Any = SimpleNamespace(image=lambda row: pictures[row])
    found = of_dlib(stills, np.arange(2))
    assert found is not None and found.by_distance and found.unseen == 1
    assert found.embeddings.tolist() == [
        [2.0],
        [0.0],
    ]  # the larger box; the whole picture, where nobody is seen
    assert dlib == ["shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat"]
    calls = peers.dlib_calls(pictures[0])
    assert calls[peers.PATH]() == [[1], [2]]
    assert calls[peers.EMBED]() == [0.0]

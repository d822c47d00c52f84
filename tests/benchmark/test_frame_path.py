from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime as ort
import pytest

from facegate.benchmark.frame_path import (
    STEPS,
    FramePath,
    compose,
    gallery_of,
    measure_frames,
    session_time,
)
from facegate.faces.detect import Detector
from facegate.faces.picture import load_picture
from facegate.params import BenchmarkParams

SURE = 0.7
"""Detection score below which the detector is known to raise false alarms."""


class FakePath:
    """Steps of 4, 3, 2 and 1 ms by a clock of its own; ``detect`` spends 3 of its 4 ms in a session."""

    def __init__(self) -> None:
        self.now = 0.0
        self.detector = self

    def clock(self) -> float:
        return self.now

    def detect(self, frame: np.ndarray) -> list[int]:
        return [0] * int(frame.flat[0])

    def steps(self, frame: np.ndarray) -> Iterator[str]:
        for step, cost in zip(STEPS, (4, 3, 2, 1), strict=True):
            self.now += cost / 1000
            yield step


def test_steps_are_timed_and_faces_counted() -> None:
    frames = {count: np.full((2, 2, 3), count, np.uint8) for count in (0, 2)}
    spent = []

    class Counted(FakePath):
        def steps(self, frame: np.ndarray) -> Iterator[str]:
            spent.append(int(frame.flat[0]))
            yield from super().steps(frame)

    path = Counted()
    report = measure_frames(
        cast(FramePath, path), frames, BenchmarkParams(runs=20, warmup=3), clock=path.clock
    )
    assert report["0"]["overhead"] is None
    assert sorted(spent) == [0] * 23 + [2] * 23
    assert report["2"]["found"] == 2
    assert report["0"]["steps_ms"] == pytest.approx({"detect": 4, "spoof": 3, "embed": 2, "match": 1})
    assert report["0"]["latency_ms"]["median"] == pytest.approx(10)


def test_session_time_counts_sessions_and_restores_them(tmp_path: Path) -> None:
    ticks = iter(range(100))
    original = ort.InferenceSession.run
    detector = Detector()
    frame = np.zeros((96, 96, 3), np.uint8)
    with session_time(lambda: float(next(ticks))) as inside:
        detector.detect(frame)
        calls = inside.seconds
    assert calls >= 1
    assert inside.seconds == calls
    assert ort.InferenceSession.run is original


@pytest.mark.parametrize("faces", [0, 1, 2, 4])
def test_composed_frames_show_the_faces_asked_for(faces: int, photos: Path) -> None:
    portraits: list[Any] = [load_picture(path) for path in sorted(photos.glob("*.[jp][pn]g"))]
    squares = [p[: min(p.shape[:2]), : min(p.shape[:2])] for p in portraits]
    frame = compose(squares, faces)
    assert frame.shape == (480, 640, 3)
    found = [face for face in Detector().detect(frame) if face.score >= SURE]
    assert len(found) == faces


def test_gallery_has_unit_length() -> None:
    np.testing.assert_allclose(np.linalg.norm(gallery_of(16, 5), axis=1), 1, atol=1e-6)

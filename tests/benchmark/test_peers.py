from pathlib import Path

import numpy as np
import pytest

from facegate.benchmark import peers
from facegate.benchmark.peers import DETECT, EMBED, PATH, dlib_calls, measure_peers, opencv_calls
from facegate.params import BenchmarkParams


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def call(self, milliseconds: float, faces: int = 1):
        def run() -> list[int]:
            self.now += milliseconds / 1000
            return [0] * faces

        return run


def test_peers_are_compared_with_the_own_call() -> None:
    clock = Clock()
    calls = {
        "facegate": {DETECT: clock.call(4), EMBED: clock.call(1), PATH: clock.call(5)},
        "dlib": {DETECT: clock.call(20), EMBED: clock.call(60), PATH: clock.call(80, 0)},
        "opencv": {DETECT: clock.call(8)},
    }
    report = measure_peers(calls, BenchmarkParams(runs=20, warmup=1), clock=clock)
    assert report[EMBED]["dlib"]["times_slower"]["value"] == pytest.approx(60, rel=1e-3)
    assert report[PATH]["dlib"]["times_slower"]["value"] == pytest.approx(16, rel=1e-3)
    assert report[DETECT]["opencv"]["latency_ms"]["median"] == pytest.approx(8)
    assert set(report[EMBED]) == {"facegate", "dlib"}
    assert (report[PATH]["facegate"]["found"], report[PATH]["dlib"]["found"]) == (1, 0)
    assert "times_slower" not in report[PATH]["facegate"]


def test_without_dlib_it_does_not_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_package_folder", lambda name: None)
    assert dlib_calls(np.zeros((48, 48, 3), np.uint8)) == {}


@pytest.mark.parametrize("weights", [None, "broken.onnx"])
def test_opencv_without_weights_that_it_can_run_does_not_take_part(
    weights: str | None, tmp_path: Path
) -> None:
    frame = np.zeros((96, 96, 3), np.uint8)
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    assert opencv_calls(frame, tmp_path / weights if weights else None) == {}

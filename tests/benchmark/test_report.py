import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facegate.benchmark import latency
from facegate.benchmark.frame_report import _shared, frame_table
from facegate.benchmark.peers import Calls
from facegate.benchmark.report import benchmark_task, find_bundles
from facegate.contracts import Task
from facegate.errors import BundleError
from facegate.params import BenchmarkParams

QUICK = BenchmarkParams(runs=20, warmup=1, threads=(1,))


@pytest.fixture
def candidates(demo_bundle: Path, tmp_path: Path) -> Path:
    for name in ("fp32", "copy"):
        shutil.copytree(demo_bundle, tmp_path / "candidates" / name)
    return tmp_path / "candidates"


def test_bundles_are_found_fp32_first(candidates: Path) -> None:
    assert list(find_bundles(candidates)) == ["fp32", "copy"]


def test_folder_without_bundles_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no bundle"):
        find_bundles(tmp_path)


def test_stage_writes_report_table_and_plots(candidates: Path, tmp_path: Path) -> None:
    metrics = tmp_path / "recognition.json"
    metrics.write_text(json.dumps({"synthetic": True, "fp32": {"eer": {"value": 0.08}}}))
    report = benchmark_task(Task.RECOGNITION, candidates, tmp_path / "out", QUICK, metrics)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "accuracy.png",
        "benchmark.json",
        "benchmark.md",
        "latency_1.png",
        "layers.png",
    ]
    assert json.loads((out / "benchmark.json").read_text()) == report
    variant = report["variants"]["copy"]
    assert (variant["parameters"], variant["bytes"]) == (
        8 * 27,
        (candidates / "copy/model.onnx").stat().st_size,
    )
    assert variant["gmacs"] == pytest.approx(14 * 14 * 8 * 27 / 1e9, abs=1e-6)
    assert variant["latency_ms"]["1"]["runs"] == variant["speedup"]["1"]["rounds"] == 20
    assert variant["speedup"]["1"]["low"] <= variant["speedup"]["1"]["value"]
    assert report["variants"]["fp32"]["speedup"] == {}
    assert variant["cold"]["peak_mb"] >= variant["cold"]["runtime_mb"]
    assert set(variant["throughput"]["1"]) == {"1", "4", "16", "64"}
    assert sum(layer["share"] for layer in report["slowest"]["layers"]) == pytest.approx(1, abs=0.01)
    assert variant["runtime"]["chosen"] in variant["runtime"]["median_ms"]
    assert report["install_mb"]["numpy"] > 10 and "torch" not in report["install_mb"]
    page = (out / "benchmark.md").read_text()
    assert page.count("| copy |") == 2
    assert f"copy: runtime {variant['runtime']['chosen']}" in page and "A bare installation takes" in page
    assert "host" not in json.dumps(report["machine"]).lower()


def test_failed_stage_leaves_the_old_report(
    candidates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/benchmark.md").write_text("old")

    def broken(*_: object) -> None:
        raise BundleError("broken")

    monkeypatch.setattr(latency, "measure_cold", broken)
    with pytest.raises(BundleError, match="broken"):
        benchmark_task(Task.RECOGNITION, candidates, tmp_path / "out", QUICK)
    assert (tmp_path / "out/benchmark.md").read_text() == "old"


def test_usable_threads_do_not_exceed_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "available_cores", lambda: 2)
    assert latency.usable((1, 2, 8)) == [1, 2]


def test_peers_are_compared_on_a_face_that_all_of_them_find() -> None:
    def calls(own: int, peer: int) -> dict[str, Calls]:
        return {"facegate": {"path": lambda: [0] * own}, "peer": {"path": lambda: [0] * peer}, "absent": {}}

    frames = [calls(1, 0), calls(0, 1), calls(1, 1)]
    assert _shared(frames) is frames[2]
    assert _shared(frames[:2]) is frames[0]


def test_frame_table_by_hand() -> None:
    times = {"median": 10.0, "p95": 12.5}
    steps = {"detect": 8.0, "spoof": 1.0, "embed": 0.9, "match": 0.1}
    report = {
        "machine": {"cpu": "A board"},
        "models": {"recognition": "x86-vnni", "spoof": "fp32"},
        "frames": {"1": {"found": 1, "latency_ms": times, "steps_ms": steps, "overhead": 1.125}},
        "peak_mb": 180.2,
        "peers": {
            "embed": {"dlib": {"latency_ms": times, "times_slower": {"value": 20, "low": 19, "high": 21}}}
        },
    }
    page = frame_table(report).splitlines()
    assert "| 1 | 1 | 10.00 | 12.50 | 8.00 | 1.00 | 0.90 | 0.10 | 1.12 |" in page
    assert "| dlib | embed |  | 10.00 | 12.50 | 20.0 (19.0–21.0) |" in page
    assert "180 MB" in page[-1]
    assert np.all([line.count("|") in (0, 7, 10) for line in page])

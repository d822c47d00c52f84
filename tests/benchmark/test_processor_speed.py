"""What a processor is asked before it is trained on or quantised for."""

from pathlib import Path

from facegate.benchmark import processor_speed
from facegate.contracts import CROP_COLUMNS, Task
from facegate.datasets.pack import PackWriter
from facegate.exporting.bundles import export_bundle
from facegate.models.checkpoint import save_trained
from facegate.models.recognition.network import build_network
from facegate.params import QuantizeParams, load_params
from tests.exporting.conftest import crop_row, painted

ROOT = Path(__file__).parents[2]


def test_either_precision_is_timed_on_the_same_work():
    calls = processor_speed.training_calls(batch=4, side=32)
    found = processor_speed.seconds(calls, rounds=2)
    assert list(found) == ["float32", "bfloat16"] and min(found.values()) > 0


def test_muon_is_timed_in_either_precision():
    assert list(processor_speed.seconds(processor_speed.muon_calls((8, 20)), rounds=2)) == [
        "float32",
        "bfloat16",
    ]


def test_int8_of_either_family_is_held_against_fp32(tmp_path: Path):
    with PackWriter(tmp_path / "crops", CROP_COLUMNS) as writer:
        for seed, (split, count) in enumerate((("test", 3), ("train", 18), ("val", 12))):
            writer.write_all(crop_row(i, split, image) for i, image in enumerate(painted(count, seed, 112)))
    kwargs = {"width": 0.25, "embedding": 16}
    save_trained(tmp_path / "trained", build_network(**kwargs).eval(), Task.RECOGNITION, kwargs)
    export_bundle(
        tmp_path / "trained", tmp_path / "crops", tmp_path / "fp32", load_params(ROOT / "params.yaml")
    )
    few = QuantizeParams(calibration_samples=16)
    found = processor_speed.int8_on_this_machine(tmp_path / "fp32", tmp_path / "crops", few, runs=2)
    ways = ("", ", exact sums")
    assert set(found) == {"fp32", *(f"{name}{way}" for name in ("x86-vnni", "x86-avx2") for way in ways)}
    assert found["fp32"]["cosine"] == [1.0, 1.0]
    assert found["x86-avx2"]["cosine"][0] > 0.95 and found["x86-vnni, exact sums"]["cosine"][0] > 0.95
    assert all(row["ms"] > 0 for row in found.values())

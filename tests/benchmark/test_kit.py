import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate.benchmark.kit import read_result, write_kit
from facegate.errors import BundleError

FORBIDDEN = (
    "import sys; [sys.modules.__setitem__(n, None) for n in ('facegate','torch','mlflow','pydantic','cv2')]; "
)


def run_kit(kit: Path) -> subprocess.CompletedProcess[str]:
    """The kit's script, in a process where everything but NumPy and ONNX Runtime is out of reach."""
    argv = ["run.py", "--runs", "20", "--warmup", "2"]
    code = f"{FORBIDDEN}import runpy; sys.argv={argv}; runpy.run_path('run.py', run_name='__main__')"
    return subprocess.run([sys.executable, "-c", code], cwd=kit, capture_output=True, text=True, check=False)


@pytest.fixture
def kit(demo_bundle: Path, tmp_path: Path) -> Path:
    write_kit({"demo-fp32": demo_bundle}, tmp_path / "kit", "arm64")
    return tmp_path / "kit"


def test_kit_holds_all_that_a_device_needs(demo_bundle: Path, tmp_path: Path) -> None:
    written = write_kit({"demo": demo_bundle}, tmp_path / "kit", "arm64")
    assert written == [
        "README.md",
        "bundles/demo/contract.json",
        "bundles/demo/golden.npz",
        "bundles/demo/model.onnx",
        "requirements.txt",
        "run.py",
    ]
    assert "aarch64" in (tmp_path / "kit" / "README.md").read_text()


def test_kit_runs_without_facegate_and_its_result_is_read(kit: Path) -> None:
    done = run_kit(kit)
    assert done.returncode == 0, done.stderr
    assert "golden vectors pass" in done.stdout
    digest = json.loads((kit / "bundles/demo-fp32/contract.json").read_text())["model_sha256"]
    result = read_result(kit / "result.json", {"mine": digest})
    assert result.models["demo-fp32"].latency_ms["runs"] == 20
    assert result.models["demo-fp32"].golden["passed"]


def test_golden_vectors_that_fail_end_with_code_1(kit: Path) -> None:
    path = kit / "bundles/demo-fp32/golden.npz"
    with np.load(path) as golden:
        inputs, outputs = golden["inputs"], golden["outputs"]
    np.savez(path, inputs=inputs, outputs=outputs + np.float32(0.1))
    done = run_kit(kit)
    assert done.returncode == 1
    assert "GOLDEN VECTORS FAIL" in done.stdout


def test_edited_model_is_refused_on_the_device(kit: Path) -> None:
    model = kit / "bundles/demo-fp32/model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    done = run_kit(kit)
    assert done.returncode != 0
    assert "not the file that the contract describes" in done.stderr


def result(**changes: Any) -> dict[str, Any]:
    model = {
        "task": "spoof",
        "target": "arm64",
        "model_sha256": "a" * 64,
        "golden": {"difference": 0.0, "allowed": 0.05, "passed": True},
        "load_ms": 1.0,
        "latency_ms": {"runs": 20, "median": 1.0},
    }
    whole = {"kit_version": 1, "machine": {}, "threads": 1, "import_ms": 1.0, "peak_mb": None}
    return {**whole, "models": {"m": model}, **changes}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a device result"),
        (json.dumps(result(extra=1)), "not a device result"),
        (json.dumps(result(kit_version=9)), "kit version 9"),
        (json.dumps(result()), "m: a model that this project does not have"),
    ],
)
def test_results_that_do_not_fit_are_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(BundleError, match=message):
        read_result(tmp_path / "result.json", {"other": "b" * 64})


def test_unknown_target_names_the_known_ones(demo_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"arm64, x86-vnni, x86-avx2"):
        write_kit({"demo": demo_bundle}, tmp_path / "kit", "riscv")

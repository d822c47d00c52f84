"""Results of devices in the runs of the versions that they measured, in a real store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facegate.errors import BundleError, RegistryError
from facegate.params import Params
from facegate.registry.devices import import_device_result
from facegate.registry.evidence import Evidence
from facegate.registry.register import register_bundle
from facegate.registry.store import Store


def result(sha256: str, **changes: Any) -> dict[str, Any]:
    model = {
        "task": "recognition",
        "target": "fp32",
        "model_sha256": sha256,
        "golden": {"difference": 1e-6, "allowed": 1e-3, "passed": True},
        "load_ms": 21.5,
        "latency_ms": {"runs": 300, "least": 3.0, "median": 3.25, "p95": 3.5, "p99": 4.0},
    }
    whole = {
        "kit_version": 1,
        "machine": {"cpu": "Raspberry Pi 5 Model B Rev 1.0", "cores": 4},
        "threads": 1,
        "import_ms": 180.0,
        "peak_mb": 71.2,
        "models": {"recognition-fp32": model},
    }
    return {**whole, **changes}


@pytest.fixture
def registered(store: Store, params: Params, make_bundle: Callable[..., Path]) -> str:
    """SHA-256 of the model of a registered version."""
    folder = make_bundle()
    register_bundle(folder, params, Evidence(metrics={"eer": 0.05}), inputs={})
    return json.loads((folder / "contract.json").read_text())["model_sha256"]


def test_a_result_is_added_once_to_the_run_of_its_version(
    store: Store, registered: str, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result(registered)))
    first, second = import_device_result(path), import_device_result(path)
    assert [(m.version, m.added) for m in first + second] == [
        ("facegate-recognition/1", True),
        ("facegate-recognition/1", False),
    ]
    version = store.client.get_model_version("facegate-recognition", "1")
    kept = store.client.get_run(str(version.run_id)).data.metrics
    device = "devices/raspberry_pi_5_model_b_rev_1.0_1_threads"
    assert kept[f"{device}.latency_ms.median"] == 3.25
    assert kept[f"{device}.peak_mb"] == 71.2
    assert kept[f"{device}.golden_passed"] == 1
    assert kept["eer"] == 0.05
    (file,) = store.client.list_artifacts(str(version.run_id), "devices")
    downloaded = store.client.download_artifacts(str(version.run_id), file.path, str(tmp_path))
    assert Path(downloaded).read_text() == path.read_text()


def test_a_model_that_nobody_registered_is_named_and_nothing_is_added(
    store: Store, registered: str, tmp_path: Path
) -> None:
    known = result(registered)
    known["models"]["stranger"] = {**known["models"]["recognition-fp32"], "model_sha256": "f" * 64}
    path = tmp_path / "result.json"
    path.write_text(json.dumps(known))
    with pytest.raises(RegistryError, match="stranger: no registered version"):
        import_device_result(path)
    version = store.client.get_model_version("facegate-recognition", "1")
    assert set(store.client.get_run(str(version.run_id)).data.metrics) == {"eer"}


def test_what_is_no_result_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("[]")
    with pytest.raises(BundleError, match="not a device result"):
        import_device_result(tmp_path / "result.json")

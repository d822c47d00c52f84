"""The service that a trial starts: one that cannot get ready says why, and the trial does not wait for it."""

from pathlib import Path

import pytest

from facegate.benchmark.kiosk_door import running
from facegate.contracts import Task
from facegate.errors import FacegateError
from facegate.runtime.bundle import write_bundle
from tests.runtime.tiny import make_contract, make_model, pictures, reference


def test_a_broken_bundle_ends_the_trial_with_what_the_service_says(tmp_path: Path) -> None:
    for task in (Task.RECOGNITION, Task.SPOOF):
        golden = pictures(3)
        write_bundle(
            tmp_path / "models" / task.value,
            make_model(task),
            make_contract(task),
            golden,
            reference(golden, task),
        )
    model = tmp_path / "models" / "spoof" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    (tmp_path / "data").mkdir()
    with (
        pytest.raises(FacegateError, match=r"did not get ready: (?s:.*)model\.onnx"),
        running(tmp_path / "data", tmp_path / "models"),
    ):
        raise AssertionError

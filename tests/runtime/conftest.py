from pathlib import Path
from typing import Any

import pytest

from facegate.contracts import Task
from facegate.runtime.bundle import Bundle, write_bundle
from tests.runtime.tiny import BundleMaker, make_contract, make_model, pictures, reference


@pytest.fixture
def make_bundle(tmp_path: Path) -> BundleMaker:
    """Writes a bundle of a tiny model; keyword arguments change its contract."""

    def make(
        task: Task = Task.RECOGNITION, size: int = 16, name: str | None = None, **changes: Any
    ) -> Bundle:
        golden = pictures(3, size)
        folder = tmp_path / (name or task.value)
        contract = make_contract(task, size, **changes)
        return write_bundle(folder, make_model(task, size), contract, golden, reference(golden, task))

    return make

"""The pace of training against a bare loop: what is counted, what is refused."""

from pathlib import Path

import pytest

from facegate.benchmark.train_speed import train_speed
from facegate.contracts import Task
from facegate.training.material import load_material
from tests.training.conftest import toy_params
from tests.training.toy import write_toy_pack


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
def test_training_and_the_bare_loop_take_turns(tmp_path: Path, task: Task) -> None:
    params = toy_params(task)
    material = load_material(task, params, write_toy_pack(tmp_path / "crops", task))
    found = train_speed(material, params, steps=8, rounds=2)
    assert found["trained"] > 0 and found["bare"] > 0 and len(found["ratios"]) == 2
    assert found["ratio"] == pytest.approx(found["trained"] / found["bare"], rel=0.02)


def test_what_settles_is_not_counted(tmp_path: Path) -> None:
    params = toy_params(Task.SPOOF)
    material = load_material(Task.SPOOF, params, write_toy_pack(tmp_path / "crops", Task.SPOOF))
    with pytest.raises(ValueError, match="the first 5 do not count"):
        train_speed(material, params, steps=6, rounds=1)

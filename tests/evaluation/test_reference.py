"""What a contract keeps of live test people, against values made by hand."""

import numpy as np
import pytest

from facegate.contracts import Split, Task
from facegate.evaluation.reference import QUANTILES, distribution, measured
from facegate.runtime.bundle import load_bundle
from tests.evaluation.test_evaluate_stage import evaluated  # noqa: F401


def test_quantiles_run_evenly_from_the_least_to_the_greatest():
    found = distribution(np.arange(1001.0)[::-1])
    assert found.samples == 1001
    assert found.quantiles == tuple(np.arange(0.0, 1001, 10))
    assert distribution([0.25]).quantiles == (0.25,) * QUANTILES


@pytest.mark.parametrize("task", [Task.LIVENESS, Task.EYES])
def test_other_tasks_keep_nothing(task):
    assert measured(task, None, None) == {}  # type: ignore[arg-type]


def test_candidates_carry_what_their_task_measures(evaluated, face_pack):  # noqa: F811
    task, places, _, _ = evaluated
    found = load_bundle(places.candidates / "fp32").contract.measured
    if task is Task.SPOOF:
        assert set(found) == {"spoof_score"}
        assert 0 <= found["spoof_score"].quantiles[0] <= found["spoof_score"].quantiles[-1] <= 1
        return
    assert set(found) == {"sharpness", "brightness"}
    tested = (face_pack.column("split") == Split.TEST).sum()
    assert found["brightness"].samples == tested
    assert 0 <= found["brightness"].quantiles[0] < found["brightness"].quantiles[-1] <= 255

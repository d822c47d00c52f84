"""What a contract keeps of live test people, against values made by hand."""

import numpy as np
import pytest

from facegate.contracts import Task
from facegate.evaluation.reference import QUANTILES, distribution, measured


def test_quantiles_run_evenly_from_the_least_to_the_greatest():
    found = distribution(np.arange(1001.0)[::-1])
    assert found.samples == 1001
    assert found.quantiles == tuple(np.arange(0.0, 1001, 10))
    assert distribution([0.25]).quantiles == (0.25,) * QUANTILES


@pytest.mark.parametrize("task", [Task.LIVENESS, Task.EYES])
def test_other_tasks_keep_nothing(task):
    assert measured(task, None, None) == {}  # type: ignore[arg-type]

"""What a sweep is asked for."""

import pytest

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.training.space import wanted_sweep
from tests.training.conftest import toy_params


def test_the_sweep_of_a_task_is_found():
    assert wanted_sweep(Task.SPOOF, toy_params(Task.SPOOF, tune={"trials": 2})).trials == 2


@pytest.mark.parametrize(("name", "empty", "told"), [("trials", 0, "is 0"), ("space", {}, "is empty")])
def test_an_empty_sweep_is_refused_by_what_it_lacks(name, empty, told):
    with pytest.raises(ParamsError, match=rf"`tune\.spoof\.{name}` {told}"):
        wanted_sweep(Task.SPOOF, toy_params(Task.SPOOF, tune={name: empty}))

"""The choice of a runtime, by runners and a clock made for the test; and OpenVINO itself where it is installed."""

import numpy as np
import pytest

from facegate.contracts import Task
from facegate.errors import BundleError, MissingExtraError
from facegate.runtime import fastest as module
from facegate.runtime import runners
from facegate.runtime.fastest import ROUNDS, WARMUP, fastest
from facegate.runtime.session import Session
from tests.conftest import missing
from tests.runtime.tiny import pictures, reference


class Slow:
    """A runner that takes a known time by the clock of the test."""

    batch = None
    now = 0.0

    def __init__(self, ms: float) -> None:
        self.ms, self.calls = ms, 0

    def __call__(self, tensor: np.ndarray) -> np.ndarray:
        self.calls += 1
        Slow.now += self.ms / 1e3
        return tensor


@pytest.fixture
def known(monkeypatch):
    """Lets a test name the runtimes that exist: a time in ms, or None for one that is not installed."""

    def name(**times):
        made = {key: Slow(ms or 0) for key, ms in times.items()}
        makers = {key: lambda bundle, threads, key=key: made[key] for key in made}
        monkeypatch.setattr(module, "RUNNERS", makers)
        monkeypatch.setattr(module, "installed", lambda key: times[key] is not None)
        return made

    return name


def choose(made, bundle, wrong=()):
    def check(runner):
        if runner in [made[name] for name in wrong]:
            raise BundleError("golden vectors differ by 1")

    return fastest(bundle, 1, check, lambda runner: runner(np.zeros(1)), clock=lambda: Slow.now)


def test_the_fastest_is_chosen_and_all_are_reported(known, make_bundle):
    made = known(a=3.0, b=2.0, c=None)
    runner, choice = choose(made, make_bundle())
    assert runner is made["b"] and choice.runtime == "b"
    assert choice.reason == (
        "b: the fastest that passes the golden vectors (a 3.000 ms; b 2.000 ms; c not installed)"
    )
    assert choice.report()["median_ms"] == {"a": 3.0, "b": 2.0, "c": "not installed"}
    assert made["a"].calls == made["b"].calls == ROUNDS + WARMUP


def test_a_fast_runtime_of_wrong_answers_is_passed_over(known, make_bundle):
    _, choice = choose(known(a=3.0, b=2.0), make_bundle(), wrong=["b"])
    assert choice.runtime == "a"
    assert "golden vectors differ" in choice.trials["b"].note


def test_where_none_is_right_all_are_named(known, make_bundle):
    with pytest.raises(BundleError, match=r"a: golden vectors differ by 1; b: not installed"):
        choose(known(a=1.0, b=None), make_bundle(), wrong=["a"])


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
def test_auto_answers_as_the_network_does_and_says_why(make_bundle, task):
    session = Session(make_bundle(task), runtime="auto")
    images = pictures(5, seed=8)
    np.testing.assert_allclose(session.run(images), reference(images, task), atol=1e-5)
    assert session.choice is not None and session.choice.trials["onnxruntime"].ms is not None
    assert Session(make_bundle(task)).choice is None


@pytest.mark.parametrize("runtime", ["openvino", "ncnn"])
def test_a_runtime_that_is_not_installed_says_how_to_get_it(make_bundle, monkeypatch, runtime):
    monkeypatch.setattr(runners, "installed", lambda _: False)
    with pytest.raises(MissingExtraError, match=rf"facegate\[{runtime}\]"):
        Session(make_bundle(), runtime=runtime)


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
@pytest.mark.parametrize("n", [1, 70])
def test_openvino_answers_as_the_network_does(make_bundle, task, n):
    if not runners.installed("openvino"):
        missing("OpenVINO", "pip install 'facegate[openvino]'")
    images = pictures(n, seed=4)
    answers = Session(make_bundle(task), runtime="openvino", check_golden=True).run(images)
    np.testing.assert_allclose(answers, reference(images, task), atol=1e-5)

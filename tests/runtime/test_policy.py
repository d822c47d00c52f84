import pytest

from facegate.contracts import Calibration, Task
from facegate.errors import BundleError
from facegate.runtime.policy import Verdict, choose_policy, log_likelihood_ratio
from tests.runtime.tiny import make_contract

POINT = make_contract().operating_points["fmr_1e-3"]


def contract(task=Task.RECOGNITION, **thresholds):
    points = {
        name.replace("__", "-"): POINT.model_copy(update={"threshold": value})
        for name, value in thresholds.items()
    }
    return make_contract(task, operating_points=points)


@pytest.mark.parametrize(
    ("task", "names", "chosen"),
    [
        (Task.RECOGNITION, ("eer", "fmr_1e__2", "fmr_1e__3"), "fmr_1e-3"),
        (Task.RECOGNITION, ("eer", "fmr_1e__2"), "fmr_1e-2"),
        (Task.SPOOF, ("apcer_1", "bpcer_10", "bpcer_5", "eer"), "bpcer_5"),
        (Task.SPOOF, ("zz", "apcer_1"), "apcer_1"),
    ],
)
def test_the_usual_point_of_a_task(task, names, chosen):
    assert choose_policy(contract(task, **dict.fromkeys(names, 0.5))).name == chosen


def test_a_named_point():
    policy = choose_policy(contract(eer=0.3, fmr_1e__3=0.6), "eer")
    assert (policy.name, policy.point.threshold) == ("eer", 0.3)


def test_an_unknown_point_is_refused_with_the_nearest():
    with pytest.raises(BundleError, match=r"did you mean `fmr_1e-3`\?"):
        choose_policy(contract(eer=0.3, fmr_1e__3=0.6), "fmr_1e3")


def test_a_model_that_was_never_evaluated_decides_nothing():
    with pytest.raises(BundleError, match="operating_points"):
        choose_policy(contract())


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.6, Verdict.ACCEPT), (0.5999, Verdict.REJECT), (float("nan"), Verdict.RETRY), (1e9, Verdict.ACCEPT)],
)
def test_at_the_threshold_is_accepted(score, verdict):
    assert choose_policy(contract(eer=0.6)).decide(score) is verdict


def test_calibrated_likelihood_ratio():
    assert log_likelihood_ratio(0.7, Calibration(kind="logistic", slope=10, offset=-5)) == pytest.approx(2)
    assert log_likelihood_ratio(0.7, Calibration()) is None
    assert choose_policy(contract(eer=0.6)).llr(0.5) == pytest.approx(0)

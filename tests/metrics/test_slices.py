import numpy as np
import pytest

from facegate.errors import NotMeasurableError
from facegate.metrics import slices as s
from facegate.metrics.bootstrap import resample
from facegate.metrics.intervals import exact_rate


def test_bands_name_their_range():
    bands = s.band([5, 18, 59.9, 60, np.nan], (18, 30, 60), " y")
    assert bands.tolist() == ["< 18 y", "18 to 30 y", "30 to 60 y", "≥ 60 y", "unknown"]


@pytest.mark.parametrize(
    ("angle", "name"),
    [
        (-40, "1 dark"),
        (0, "2 brown"),
        (20, "3 tan"),
        (35, "4 intermediate"),
        (50, "5 light"),
        (60, "6 very light"),
    ],
)
def test_skin_tone_bands(angle, name):
    assert s.skin_tone([angle]).tolist() == [name]
    assert s.skin_tone([np.nan]).tolist() == ["unknown"]


def test_rates_per_group_by_hand():
    groups = np.array(["a", "a", "a", "a", "b", "b"])
    errors = np.array([1, 0, 0, 0, 1, 0], bool)
    people = np.arange(6)
    report = s.slice_report(resample(people, 200, 0), errors, groups, people)
    assert {name: rate.value for name, rate in report.rates.items()} == {"a": 0.25, "b": 0.5}
    assert (report.worst, report.ratio) == ("b", 2.0)


def test_few_samples_leave_the_verdict_open():
    report = s.summarise({"a": exact_rate(1, 20), "b": exact_rate(3, 20)}, 0.1)
    assert report.verdict is s.Verdict.UNDECIDED


def test_many_samples_settle_it():
    rates = {"a": exact_rate(1000, 20_000), "b": exact_rate(1400, 20_000)}
    report = s.summarise(rates, 0.05)
    assert report.verdicts == {"a": s.Verdict.PASS, "b": s.Verdict.FAIL}
    assert report.verdict is s.Verdict.FAIL
    assert s.summarise({"a": exact_rate(1000, 20_000)}, 0.05).verdict is s.Verdict.PASS


def test_no_ratio_over_an_error_free_group():
    report = s.summarise({"a": exact_rate(0, 50), "b": exact_rate(5, 50)}, 0.05)
    assert report.ratio is None
    assert report.worst == "b"


def test_pairs_may_have_two_subjects():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, 200), rng.integers(0, 9, 200)
    report = s.slice_report(
        resample(np.arange(9), 200, 0), rng.random(200) < 0.2, np.repeat(["x", "y"], 100), first, second
    )
    assert all(rate.low < (rate.value or 0) < rate.high for rate in report.rates.values())


def test_nothing_to_slice_is_said():
    with pytest.raises(NotMeasurableError):
        s.slice_report(resample([0, 1], 100, 0), [], [], [])
    with pytest.raises(NotMeasurableError):
        s.summarise({"a": exact_rate(0, 0)}, 0.1)


def test_a_handful_of_people_settles_nothing():
    rates = {"a": exact_rate(1000, 20_000)}
    assert s.summarise(rates, 0.05, {"a": 9}).verdict is s.Verdict.UNDECIDED
    assert s.summarise(rates, 0.05, {"a": 10}).verdict is s.Verdict.PASS

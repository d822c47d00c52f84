"""Drift: the measures against references, and the watch around them."""

import numpy as np
import pytest
from scipy import stats

from facegate.evaluation.reference import distribution
from facegate.serving.drift import Drift, Sample, alarming, held_against, ks, psi
from tests.serving.conftest import served

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("shift", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("sizes", [(500, 500), (50, 400)])
def test_the_distance_is_that_of_scipy(shift, sizes):
    first, second = RNG.normal(size=sizes[0]), RNG.normal(shift, size=sizes[1]).round(1)
    assert ks(first, second) == pytest.approx(stats.ks_2samp(first, second)[0])


def test_psi_by_hand():
    reference = np.arange(100.0)
    assert psi(reference, reference) == pytest.approx(0, abs=1e-12)
    half = np.concatenate(
        [np.arange(50.0), np.arange(50.0)]
    )  # each lower bin twice as full, each upper one empty
    empty = 0.5 / 100
    expected = 5 * (0.2 - 0.1) * np.log(2) + 5 * (empty - 0.1) * np.log(empty / 0.1)
    assert psi(reference, half) == pytest.approx(expected)


def test_psi_of_a_constant_is_nothing():
    assert psi(np.ones(100), np.ones(50)) < 0.01


def test_chance_does_not_alarm():
    alarms = 0
    for _ in range(200):
        reference, values = RNG.normal(size=500), RNG.normal(size=500)
        alarms += alarming(psi(reference, values), ks(reference, values), 500, 500)
    assert alarms == 0


class Told(list):
    def __call__(self, *values):
        self.append(values)


def feed(drift, values, camera="door"):
    for value in values:
        drift._add(camera, "brightness", float(value))


def test_a_shift_is_told_and_a_restart_does_not_make_it_normal(tmp_path):
    told = Told()
    drift = Drift(tmp_path, told, reference=100, window=100)
    drift.release("a" * 64)
    feed(drift, RNG.normal(100, 10, 200))
    assert told and not told[-1][-1] and drift.alerts() == ()
    again = Drift(tmp_path, told, reference=100, window=100)
    again.release("a" * 64)
    feed(again, RNG.normal(160, 10, 100))
    camera, value, against, shift, distance, alarm = told[-1]
    assert (camera, value, against, alarm) == ("door", "brightness", "camera", True)
    assert shift > 1 and distance > 0.9
    assert again.alerts() == ("door: brightness against the camera",)
    again.release("b" * 64)
    assert again.alerts() == (), "another release has its own reference"


@pytest.mark.parametrize(("middle", "alarm"), [(100, False), (130, True)])
def test_the_contract_is_a_reference_from_the_first_window_on(tmp_path, middle, alarm):
    told = Told()
    drift = Drift(tmp_path, told, reference=1000, window=300)
    drift.release("a" * 64, {"brightness": distribution(RNG.normal(100, 10, 800))})
    feed(drift, RNG.normal(middle, 10, 300))
    ((camera, value, against, shift, distance, found),) = told
    assert (camera, value, against, found) == ("door", "brightness", "contract", alarm)
    assert (shift > 0.25) == (distance > 0.2) == alarm
    assert bool(drift.alerts()) == alarm


def test_quantiles_stand_for_the_values_that_they_are_of():
    reference, values = RNG.normal(size=2000), RNG.normal(0.5, size=500)
    known = Sample.of(distribution(reference))
    assert known.size == 2000
    by_quantiles, by_values = held_against(known, values), held_against(Sample(reference, 2000), values)
    assert by_quantiles[:2] == pytest.approx(by_values[:2], rel=0.15)


def test_a_damaged_reference_is_taken_anew(tmp_path):
    (tmp_path / ("a" * 12)).mkdir()
    (tmp_path / ("a" * 12) / "door--x.json").write_text("{")
    drift = Drift(tmp_path, Told(), reference=50, window=50)
    drift.release("a" * 64)
    feed(drift, range(120))


def test_each_camera_is_watched_by_itself_and_shown(tmp_path, live_release, portraits):
    with served(tmp_path, live_release, drift_reference=50, drift_window=50) as running:
        from facegate.faces.picture import load_picture

        (result,) = running.service.production.current.engine.look(load_picture(portraits["obama"]))
        for _ in range(110):
            running.service.drift.add("door", result)
        page = running.client.get("/metrics", headers=running.operator).text
        for value in ("brightness", "sharpness", "eye_distance", "spoof_score"):
            labels = f'against="camera",camera="door",value="{value}"'
            assert f"facegate_drift_alert{{{labels}}} 0.0" in page
        assert "match_score" not in page, "nobody is enrolled"

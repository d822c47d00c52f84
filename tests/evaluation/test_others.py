"""A model on people of another pack, with counts made by hand."""

import numpy as np
import pytest

from facegate.contracts import OperatingPoint, Rate, Split, Task
from facegate.errors import FacegateError, NotMeasurableError
from facegate.evaluation.others import judge_others, main, others, summary
from tests.evaluation.small_bundles import contract, write_small_bundle
from tests.evaluation.small_sets import Brightness, attack_rows, written


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """Forty people, of whom the first thirty are those of `attack_pack`."""
    return written(tmp_path_factory.mktemp("more") / "crops", attack_rows(people=40))


@pytest.fixture
def judged():
    rate = Rate(value=0.05, errors=5, trials=100, low=0.0, high=0.1)
    point = OperatingPoint(
        threshold=0.5, metric="BPCER", target=0.05, measured=rate, dataset="synthetic", split=Split.VAL
    )
    return contract(Task.SPOOF, "fp32").model_copy(update={"operating_points": {"bpcer_5": point}})


def test_only_people_whom_the_other_pack_does_not_hold_are_judged(more, attack_pack):
    rows = others(more, attack_pack)
    assert set(more.column("subject_id")[rows]) == {f"s{person}" for person in range(30, 40)}
    assert set(more.column("split")[rows]) == {"train", "val", "test"}
    with pytest.raises(NotMeasurableError, match="everybody"):
        others(attack_pack, more)


def test_rates_at_the_contracts_threshold_are_counts(more, attack_pack, judged, evaluate_params):
    rows = others(more, attack_pack)
    outputs = Brightness().run(more.images(rows))
    found = judge_others(outputs, judged, more, rows, evaluate_params)
    species, accepted = more.column("species")[rows], outputs[:, 1] >= 0.5
    live = species == "bona_fide"
    point = found["operating_points"]["bpcer_5"]
    assert (point["bpcer"]["errors"], point["bpcer"]["trials"]) == (int((~accepted & live).sum()), 40)
    passed = {name: int(accepted[species == name].sum()) for name in ("print", "replay_phone")}
    assert {name: rate["errors"] for name, rate in point["apcer"].items()} == passed
    assert point["worst_species"] == max(passed, key=lambda name: passed[name])
    ahead = (outputs[live, 1][:, None] > outputs[~live, 1]).mean()
    assert found["auc"]["value"] == pytest.approx(ahead, abs=1e-6)
    assert (found["people"], found["presentations"], found["synthetic"]) == (10, 100, True)


def test_the_summary_counts_and_says_that_people_are_rendered(more, attack_pack, judged, evaluate_params):
    rows = others(more, attack_pack)
    found = judge_others(Brightness().run(more.images(rows)), judged, more, rows, evaluate_params)
    told = summary(found)
    assert "10 rendered people, synthetic: 40 bona fide presentations, 60 attacks" in told
    assert "bpcer_5: BPCER " in told
    assert " of 40)" in told
    assert "synthetic" not in summary({**found, "synthetic": False})


def test_a_model_without_points_still_has_an_area(more, attack_pack, evaluate_params):
    rows = others(more, attack_pack)
    bare = contract(Task.SPOOF, "fp32").model_copy(update={"operating_points": {}})
    found = judge_others(Brightness().run(more.images(rows)), bare, more, rows, evaluate_params)
    assert found["operating_points"] == {}
    assert np.isfinite(found["auc"]["value"])


def test_the_summary_tells_gains_of_clips_with_their_sign(more, attack_pack, judged, evaluate_params):
    rows = others(more, attack_pack)
    found = judge_others(Brightness().run(more.images(rows)), judged, more, rows, evaluate_params)
    one = {"a": 0.03, "b": 0.01, "difference": -0.02, "low": -0.03, "high": -0.005, "p_value": 0.002}
    told = summary({**found, "against_static": {"mask_rigid": one}}).splitlines()[-1]
    assert told == (
        "mask_rigid: AUC of single frames 0.9700, of clips 0.9900, +0.0200 (+0.0050 to +0.0300), p = 0.002"
    )


def test_single_frames_are_for_clip_models_to_beat(tmp_path):
    bundle = tmp_path / "bundle"
    write_small_bundle(bundle, Task.SPOOF)
    with pytest.raises(FacegateError, match="leave out `--static`"):
        main(bundle, tmp_path / "crops", static=bundle)

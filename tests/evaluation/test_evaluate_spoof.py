"""The golden table goes in with APCER ≠ BPCER and must come out the same way round, in every figure."""

import json

import numpy as np
import pyarrow as pa
import pytest

from facegate.contracts import PRESENTATION_COLUMNS, Split
from facegate.datasets.pack import arrow_schema
from facegate.errors import NotMeasurableError
from facegate.evaluation import compare, spoof, spoof_points, tables
from facegate.evaluation.baselines import trivial

BONA_FIDE = [0.9, 0.95, 0.8, 0.7, 0.85, 0.99, 0.6, 0.75, 0.65, 0.45]
PRINTS = [0.1, 0.2, 0.3, 0.5, 0.62]
REPLAYS = [0.55, 0.58, 0.4, 0.72]


def golden(threshold_at=0.5):
    """Validation presentations whose BPCER 10 % threshold is `threshold_at`, and the golden ones as test."""
    rows = []
    for split, bona_fide in (("val", [threshold_at - 0.1, *[threshold_at] * 9]), ("test", BONA_FIDE)):
        for species, scores in (("bona_fide", bona_fide), ("print", PRINTS), ("replay_phone", REPLAYS)):
            for k, score in enumerate(scores):
                rows.append((f"{split}-{species}-{k}", f"{split}-{k}", species, split, score))
    names = [column.name for column in PRESENTATION_COLUMNS]
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return pa.table({k: list(c) for k, c in columns.items()}, schema=arrow_schema(PRESENTATION_COLUMNS))


ABOUT = {"dataset": "golden", "synthetic": False}


def test_golden_rates_pass_through_the_right_way_round(evaluate_params):
    found = spoof.evaluate_spoof(golden(), ABOUT, {}, evaluate_params)
    point = found["operating_points"]["bpcer_10"]
    assert point["threshold"] == 0.5
    assert point["bpcer"]["value"] == 0.1
    assert point["apcer"]["print"]["value"] == 0.4
    assert point["worst_species"] == "replay_phone"
    assert point["worst_apcer"]["value"] == 0.75
    assert found["legacy"]["acer"] == pytest.approx((0.75 + 0.1) / 2)
    assert found["synthetic"] is False


def test_the_threshold_is_never_chosen_on_the_test_set(evaluate_params):
    low = spoof.evaluate_spoof(golden(0.3), ABOUT, {}, evaluate_params)["operating_points"]["bpcer_10"]
    assert low["threshold"] == pytest.approx(0.3)
    assert low["bpcer"]["value"] == 0.0
    assert low["worst_apcer"]["value"] == 1.0


def test_the_curve_of_the_test_people_is_told_apart_from_the_thresholds_that_were_set(evaluate_params):
    found = spoof.evaluate_spoof(golden(0.3), ABOUT, {}, evaluate_params)
    assert set(found["on_test_curve"]) == {"bpcer_10"}  # ten presentations know of no 5 %
    point = found["on_test_curve"]["bpcer_10"]
    assert point["threshold"] == pytest.approx(
        0.6
    )  # the second lowest bona fide score: one of ten is refused
    assert (point["bpcer"]["errors"], point["bpcer"]["trials"]) == (1, 10)
    assert (point["apcer"]["print"]["errors"], point["worst_species"]) == (1, "replay_phone")
    assert point["worst_apcer"]["value"] == 0.25
    assert set(found["operating_points"]) == {"eer", "bpcer_10"}


def test_operating_points_say_where_they_come_from(evaluate_params):
    points = spoof_points.operating_points(
        tables.presentations(golden(), Split.VAL), "golden", evaluate_params
    )
    assert set(points) == {"eer", "bpcer_10"}
    point = points["bpcer_10"]
    assert (point.metric, point.target, point.dataset, point.split) == ("BPCER", 0.1, "golden", Split.VAL)
    assert (point.measured.errors, point.measured.trials) == (1, 10)
    assert spoof_points.headline_point(points) == "bpcer_10"


def test_figures_of_a_set_with_slices(attack_table, attack_groups, evaluate_params):
    found = spoof.evaluate_spoof(attack_table, {**ABOUT, "synthetic": True}, attack_groups, evaluate_params)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["auc_by_species"]["print"]["value"] > found["auc_by_species"]["replay_phone"]["value"] > 0.8
    assert found["auc"]["low"] < found["auc"]["value"] < found["auc"]["high"]
    sexes = found["slices"]["sex"]
    assert sum(rate["trials"] for rate in sexes["bpcer"]["rates"].values()) == 40
    assert sum(rate["trials"] for rate in sexes["apcer"]["rates"].values()) == 60
    assert set(found["operating_points"]) >= {"eer", "bpcer_5", "apcer_5"}


def test_a_missing_kind_is_not_measurable(evaluate_params):
    only_attacks = golden().filter(pa.array([s != "bona_fide" for s in golden()["species"].to_pylist()]))
    with pytest.raises(NotMeasurableError, match="bona_fide"):
        spoof.evaluate_spoof(only_attacks, ABOUT, {}, evaluate_params)


def test_a_species_that_the_test_people_lack_is_left_out_and_no_zero(evaluate_params):
    table = golden()
    rows = zip(table["split"].to_pylist(), table["species"].to_pylist(), strict=True)
    found = spoof.evaluate_spoof(
        table.filter(pa.array([row != ("test", "print") for row in rows])), ABOUT, {}, evaluate_params
    )
    assert set(found["operating_points"]["bpcer_10"]["apcer"]) == {"replay_phone"}
    assert set(found["auc_by_species"]) == {"replay_phone"}


def test_a_species_of_one_person_has_figures_of_which_nothing_is_known(evaluate_params):
    table = golden()
    rows = zip(table["split"].to_pylist(), table["sample_id"].to_pylist(), strict=True)
    lonely = [split == "val" or "print" not in name or name.endswith("-0") for split, name in rows]
    found = spoof.evaluate_spoof(table.filter(pa.array(lonely)), ABOUT, {}, evaluate_params)
    print_ = found["operating_points"]["bpcer_10"]["apcer"]["print"]
    assert (print_["value"], print_["low"], print_["high"], print_["trials"]) == (0.0, 0.0, 1.0, 1)
    assert (found["auc_by_species"]["print"]["low"], found["auc_by_species"]["print"]["high"]) == (0.0, 1.0)


def test_constant_scores_end_in_an_error_that_says_so(evaluate_params):
    table = golden()
    flat = table.set_column(4, table.schema.field("score"), pa.array([0.5] * table.num_rows, pa.float32()))
    with pytest.raises(NotMeasurableError, match="all scores are equal"):
        spoof.evaluate_spoof(flat, ABOUT, {}, evaluate_params)


def test_trivial_features_find_the_brightness_that_gives_attacks_away(attack_pack):
    found = trivial(attack_pack, 2.0)["auc_by_species"]
    assert set(found) == {"print", "replay_phone"}
    assert found["print"]["value"] > 0.9


def test_two_models_are_compared_on_the_same_presentations(attack_table, evaluate_params):
    rng = np.random.default_rng(0)
    noise = rng.random(attack_table.num_rows).astype(np.float32)
    worse = attack_table.set_column(attack_table.schema.get_field_index("score"), "score", [noise])
    found = compare.compare_spoof(attack_table, worse, (0.5, 0.5), evaluate_params)
    assert found["one_minus_auc"]["verdict"] == "A is better"
    assert found["decisions_flipped"]["errors"] > 10
    with pytest.raises(NotMeasurableError, match="different presentations"):
        compare.compare_spoof(
            attack_table, attack_table.slice(0, attack_table.num_rows - 1), (0.5, 0.5), evaluate_params
        )

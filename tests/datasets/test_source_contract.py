"""The suite of a published set: every trap is counted and named, and does what its severity says."""

import pytest

from facegate.datasets.source_contract import source_rules, source_tables
from facegate.datasets.traps import TRAPS, lookalikes, source_account
from facegate.datasets.validation import check_source
from facegate.datasets.validation_page import page
from facegate.params import ValidateParams

BASE = {"min_subjects_per_split": 1, "min_samples_per_split": 1, "min_samples_per_species": 1}


def limits(**more):
    return ValidateParams.model_validate({**BASE, **more})


class SamplePack:
    """As much of a pack as the suite looks at: one sample for every trap, of forty records."""

    def __init__(self, **more):
        dropped = [name for name, trap in TRAPS.items() if trap.severity == "drop"]
        self.metadata = {
            "suite": list(TRAPS),
            "records": 40,
            "traps": {f"{name}.jpg": name for name in TRAPS},
            "problems": {f"{name}.jpg": "because" for name in dropped},
            "pins": {"a.txt": ["00", "00"], "b.txt": ["12", "34"]},
            **more,
        }


def outcome(pack, **more):
    return {rule["column"]: rule for rule in check_source(pack, limits(**more))}


def test_each_trap_is_counted_and_its_file_named():
    found = outcome(SamplePack(), max_dropped=0.5)
    for name, trap in TRAPS.items():
        rule = found[name]
        assert (rule["passed"], rule["checked"], rule["failing"]) == (False, 40, 1), name
        assert rule["examples"] == [f"{name}.jpg"]
        assert rule["severity"] == trap.severity
        assert rule["error"] is None
    assert found["records"]["passed"]


def test_more_losses_than_allowed_stop_and_are_told_with_their_number():
    rule = outcome(SamplePack())["records"]
    assert (rule["passed"], rule["severity"]) == (False, "critical")
    assert rule["examples"] == [f"{len(SamplePack().metadata['problems'])} of 40, at most 2"]


def test_a_trap_stops_where_the_user_wants_it():
    found = outcome(SamplePack(), max_dropped=1.0, stop_on=["lookalike"])
    assert (found["lookalike"]["severity"], found["label"]["severity"]) == ("critical", "drop")


def test_an_edited_file_stops_unless_pins_are_waived():
    found = outcome(SamplePack())["md5"]
    assert (found["passed"], found["examples"], found["severity"]) == (False, ["b.txt"], "critical")
    assert outcome(SamplePack(pins_demanded=False))["md5"]["severity"] == "warning"


def test_a_clean_set_holds_and_a_set_asks_only_for_its_own_traps():
    clean = SamplePack(suite=["file", "lookalike"], traps={}, problems={}, pins={})
    found = outcome(clean)
    assert set(found) == {"file", "lookalike", "records"}
    assert all(rule["passed"] for rule in found.values())
    assert source_account(clean.metadata) == {"records": 40, "left_out": 0, "traps": {}}
    assert source_account({}) == {}
    assert source_rules({}, limits()) == []
    assert len(source_tables({}, limits())["records"]) == 0


def test_training_gives_way_to_validation_and_both_to_testing():
    hashes = [bytes([n] * 32) for n in (7, 7, 7, 90, 90)]
    ids, splits = list("abcde"), ["train", "val", "test", "train", "train"]
    assert lookalikes(ids, splits, hashes) == {
        0: "looks like b, which is in the split val",
        1: "looks like c, which is in the split test",
    }


def test_pictures_of_one_even_tone_look_like_nothing():
    assert lookalikes(["a", "b"], ["train", "test"], [bytes(32), bytes(32)]) == {}


def test_the_page_names_what_was_left_out_and_what_was_kept():
    metadata = SamplePack().metadata
    report = {"task": "spoof", "passed": True, "rules": [], "counts": {}, "detection": {}}
    text = page(report, {}, metadata["problems"], metadata["traps"])
    assert "Samples left out by the source: 6" in text and "label.jpg" in text and "because" in text
    assert "Samples kept in spite of a trap: 1" in text and "box.jpg" in text


@pytest.mark.parametrize("value", [["hologram"], "all"])
def test_an_unknown_trap_is_refused(value):
    with pytest.raises(ValueError, match="stop_on"):
        limits(stop_on=value)

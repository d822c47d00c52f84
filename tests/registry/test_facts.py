"""What the gate reads from the evidence."""

import pytest

from facegate.contracts import Rate
from facegate.metrics.intervals import exact_rate
from facegate.registry.facts import worst_slice


def sliced(**groups: tuple[int, int, int]) -> dict[str, object]:
    """One demographic column from (errors, trials, people) by group."""
    rates = {name: exact_rate(errors, trials).model_dump() for name, (errors, trials, _) in groups.items()}
    people = {name: count for name, (_, _, count) in groups.items()}
    return {
        "operating_point": "bpcer_5",
        "sex": {"demographic": True, "bpcer": {"rates": rates, "people": people}},
    }


def test_a_group_of_too_few_people_is_named_and_not_judged():
    found = worst_slice(sliced(few=(3, 6, 1), worst=(5, 100, 20), best=(1, 100, 20)), "bpcer")
    assert found is not None
    note, rate = found
    assert note == "sex: worst; too few people to judge: sex: few (1)"
    assert isinstance(rate, Rate)
    assert rate.value == pytest.approx(0.05)


def test_nothing_to_judge_is_no_fact():
    assert worst_slice(sliced(few=(3, 6, 1)), "bpcer") is None
    assert worst_slice({}, "bpcer") is None


def test_conditions_are_no_people():
    slices = sliced(worst=(5, 100, 20))
    slices["sex"] = {**slices["sex"], "demographic": False}  # type: ignore[dict-item]
    assert worst_slice(slices, "bpcer") is None

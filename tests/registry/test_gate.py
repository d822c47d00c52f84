"""Rules against facts: bounds, sample sizes, profiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.contracts import Rate
from facegate.errors import ParamsError
from facegate.metrics.intervals import exact_rate
from facegate.params import GateRule, GatesParams
from facegate.registry.facts import Facts
from facegate.registry.gate import Verdict, judge, needed_trials
from facegate.registry.limits import PUBLISHED, gate_rules


def one(rate: Rate, limit: float):
    return judge(Facts(rates={"fmr": rate}), [GateRule(fact="fmr", at_most=limit)])[0]


@pytest.mark.parametrize(
    ("errors", "trials", "limit", "verdict"),
    [
        (0, 1000, 0.01, Verdict.PASS),
        (20, 1000, 0.01, Verdict.FAIL),
        (0, 100, 0.01, Verdict.TOO_FEW),
        (8, 1000, 0.01, Verdict.TOO_FEW),
        (0, 0, 0.01, Verdict.NOT_MEASURED),
    ],
)
def test_a_rate_passes_by_its_upper_bound(errors: int, trials: int, limit: float, verdict: Verdict) -> None:
    finding = one(exact_rate(errors, trials), limit)
    assert finding.verdict is verdict
    assert finding.blocking is (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("limit", "needed"), [(0.07, 51), (0.01, 368), (1e-3, 3688), (1e-4, 36887), (2e-5, 184443)]
)
def test_sample_size_of_an_error_free_claim(limit: float, needed: int) -> None:
    assert needed_trials(exact_rate(0, 10), limit) == needed
    assert exact_rate(0, needed).high <= limit < exact_rate(0, needed - 1).high
    assert f"{needed:,}" in one(exact_rate(0, 10), limit).note


@given(st.integers(1, 40), st.integers(50, 400), st.floats(0.05, 0.5))
def test_the_needed_sample_size_suffices_and_is_not_far_too_large(
    errors: int, trials: int, limit: float
) -> None:
    rate = exact_rate(errors, trials)
    needed = needed_trials(rate, limit)
    if needed is None:
        assert errors / trials >= limit or limit - errors / trials < 1e-3
        return
    assert exact_rate(round(errors / trials * needed), needed).high <= limit
    half = needed // 4
    assert half < 2 or exact_rate(round(errors / trials * half), half).high > limit


def test_a_rate_over_the_limit_says_that_more_trials_do_not_help() -> None:
    finding = one(exact_rate(50, 100), 0.07)
    assert finding.note.startswith("the rate itself is too high; even without an error 51 people")


def test_numbers_and_flags() -> None:
    facts = Facts(numbers={"latency": 12.0}, flags={"golden": False}, notes={"golden": "differs"})
    rules = [
        GateRule(fact="latency", at_most=10),
        GateRule(fact="latency", at_least=10),
        GateRule(fact="golden"),
        GateRule(fact="memory", at_most=5),
        GateRule(fact="memory", at_most=5, required=False),
    ]
    found = judge(facts, rules)
    assert [f.verdict.name for f in found] == ["FAIL", "PASS", "FAIL", "NOT_MEASURED", "NOT_MEASURED"]
    assert [f.blocking for f in found] == [True, False, True, True, False]
    assert found[2].note == "differs"


def test_a_limit_that_was_not_read_is_said_and_does_not_pass_as_proof() -> None:
    finding = next(
        f for f in judge(Facts(rates={"fmr": exact_rate(0, 10)}), PUBLISHED["fido"]) if f.fact == "fmr"
    )
    assert finding.verdict is Verdict.NOT_VERIFIED
    assert "not verified" in finding.source
    assert not finding.blocking


@pytest.mark.parametrize(
    ("profile", "fact", "limit"),
    [
        ("android-class3", "fmr", 2e-5),
        ("android-class3", "iapar", 0.07),
        ("android-class3", "false_reject", 0.10),
        ("nist-800-63b", "fmr", 1e-4),
        ("nist-800-63b", "fnmr", 0.05),
        ("nist-800-63b", "iapar", 0.07),
        ("fido", "false_reject", 0.03),
        ("fido", "iapar", 0.07),
    ],
)
def test_published_limits(profile: str, fact: str, limit: float) -> None:
    assert next(rule.at_most for rule in PUBLISHED[profile] if rule.fact == fact) == limit


def test_profiles_of_ones_own() -> None:
    rule = GateRule(fact="fmr", at_most=0.1)
    own = GatesParams(profile="mine", profiles={"mine": (rule,)})
    assert gate_rules(own) == (rule,)
    assert gate_rules(own, "embedded") == PUBLISHED["embedded"]
    with pytest.raises(ParamsError, match="choose one of"):
        gate_rules(own, "theirs")
    with pytest.raises(ParamsError, match="takes the name"):
        gate_rules(GatesParams(profiles={"fido": (rule,)}))

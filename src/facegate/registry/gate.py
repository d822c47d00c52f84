"""The gate: rules against facts, bounds and not points, and how many trials a claim would need.

A rate passes when the upper end of its interval is within the limit. One whose value is within and whose bound
is not has too few trials behind it: that is a failure too, and it says how many would do.
"""

from collections.abc import Sequence
from enum import StrEnum

from facegate.contracts import Frozen, Rate
from facegate.metrics.intervals import clopper_pearson, trials_to_claim
from facegate.params import GateRule
from facegate.registry.facts import Facts

_MOST_TRIALS = 10**9


class Verdict(StrEnum):
    """Outcome of one rule."""

    PASS = "pass"
    FAIL = "fail"
    TOO_FEW = "too few trials"
    NOT_MEASURED = "not measured"
    NOT_VERIFIED = "limit not verified"


class Finding(Frozen):
    """One rule and what it found.

    Attributes:
        fact: what was asked.
        limit: the limit in words.
        value: what was measured, in words.
        bound: the number that was held against the limit.
        trials: number of trials, for rates.
        verdict: outcome.
        blocking: this outcome keeps the release out.
        note: needed sample size, species, slice, or reason.
        source: who set the limit.
    """

    fact: str
    limit: str
    value: str
    bound: float | None
    trials: int | None
    verdict: Verdict
    blocking: bool
    note: str
    source: str


class GateReport(Frozen):
    """Outcome of a gate for one release.

    Attributes:
        profile: name of the gate.
        release: digest of the release.
        against: digest of the release it was compared with; empty for none.
        synthetic: the figures are from rendered people.
        passed: no finding blocks.
        findings: rule by rule.
    """

    profile: str
    release: str
    against: str
    synthetic: bool
    passed: bool
    findings: tuple[Finding, ...]


def judge(facts: Facts, rules: Sequence[GateRule]) -> tuple[Finding, ...]:
    """Hold facts against rules, in the order of the rules."""
    return tuple(_judge(facts, rule) for rule in rules)


def needed_trials(rate: Rate, limit: float) -> int | None:
    """Fewest independent trials after which the measured rate would prove that it is within the limit.

    Args:
        rate: what was measured.
        limit: the limit, 0 to 1.

    Returns:
        The number. None if the rate itself exceeds the
        limit, so that no number of trials would help.
    """
    if not rate.value:
        return error_free_trials(rate, limit)
    if rate.value >= limit:
        return None
    low, high = 1, 2
    while _upper(rate, high) > limit:
        low, high = high, high * 2
        if high > _MOST_TRIALS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _upper(rate, middle) <= limit else (middle, high)
    return high


def error_free_trials(rate: Rate, limit: float) -> int:
    """Trials without a single error after which the two-sided interval lies within the limit.

    This is stricter than the one-sided rule of three: 51 trials and not 42 for 7 % at 95 %.
    """
    return trials_to_claim(limit, 1 - (1 - rate.confidence) / 2)


def _upper(rate: Rate, trials: int) -> float:
    expected = round((rate.value or 0.0) * trials)
    return float(clopper_pearson(expected, trials, rate.confidence)[1])


def _judge(facts: Facts, rule: GateRule) -> Finding:
    note = facts.notes.get(rule.fact, "")
    if rule.fact in facts.rates and rule.at_most is not None:
        return _judge_rate(facts.rates[rule.fact], rule, rule.at_most, note)
    if rule.fact in facts.rates:
        rate = facts.rates[rule.fact]
        return _finding(
            rule, Verdict.NOT_VERIFIED, note, _percent(rate.value), bound=rate.high, trials=rate.trials
        )
    if rule.fact in facts.numbers:
        number = facts.numbers[rule.fact]
        within = (rule.at_most is None or number <= rule.at_most) and (
            rule.at_least is None or number >= rule.at_least
        )
        return _finding(rule, Verdict.PASS if within else Verdict.FAIL, note, f"{number:.4g}", bound=number)
    if rule.fact in facts.flags:
        holds = facts.flags[rule.fact]
        return _finding(rule, Verdict.PASS if holds else Verdict.FAIL, note, "yes" if holds else "no")
    return _finding(rule, Verdict.NOT_MEASURED, note or "no such figure in the evidence", "–")


def _judge_rate(rate: Rate, rule: GateRule, limit: float, note: str) -> Finding:
    value = _percent(rate.value)
    if rate.value is None:
        return _finding(rule, Verdict.NOT_MEASURED, note, value, trials=rate.trials)
    if rate.high <= limit:
        return _finding(rule, Verdict.PASS, note, value, bound=rate.high, trials=rate.trials)
    verdict = Verdict.FAIL if rate.value > limit else Verdict.TOO_FEW
    needed = needed_trials(rate, limit)
    if needed is not None:
        note = f"at least {needed:,} independent trials (people, not pictures) are needed; {note}".rstrip(
            "; "
        )
    elif rate.value > limit:
        least = error_free_trials(rate, limit)
        note = (
            f"the rate itself is too high; even without an error {least:,} people are needed; {note}".rstrip(
                "; "
            )
        )
    return _finding(rule, verdict, note, value, bound=rate.high, trials=rate.trials)


def _finding(
    rule: GateRule,
    verdict: Verdict,
    note: str,
    value: str,
    *,
    bound: float | None = None,
    trials: int | None = None,
) -> Finding:
    open_question = verdict in (Verdict.NOT_MEASURED, Verdict.NOT_VERIFIED)
    return Finding(
        fact=rule.fact,
        limit=_limit(rule, trials is not None),
        value=value,
        bound=bound,
        trials=trials,
        verdict=verdict,
        blocking=verdict is not Verdict.PASS and (rule.required or not open_question),
        note=note,
        source=rule.source + ("" if rule.verified else " (not verified)"),
    )


def _limit(rule: GateRule, rate: bool) -> str:
    if rule.at_most is not None:
        return f"≤ {_percent(rule.at_most) if rate else f'{rule.at_most:g}'}"
    if rule.at_least is not None:
        return f"≥ {rule.at_least:g}"
    return "known" if rate else "must hold"


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if value == 0 or value >= 0.01 else f"{100 * value:.2g} %"

"""The gates by name: published limits, and those for the embedded data.

A limit that could not be read in the published text itself is marked as not verified. Passing one of the
published gates here is no certification: each of these schemes has its own laboratories, attack instruments
and protocols.
"""

from collections.abc import Mapping, Sequence

from facegate.errors import ParamsError
from facegate.params import GateRule, GatesParams

_ANDROID = "Android CDD 7.3.10, Class 3"
_NIST = "NIST SP 800-63B-4"
_FIDO = "FIDO Biometric Component"


def _flag(fact: str, source: str = "facegate") -> GateRule:
    return GateRule(fact=fact, source=source)


_SOUND = tuple(_flag(fact) for fact in ("golden_vectors", "same_detector", "data_contracts", "no_regression"))
_REAL = (_flag("real_people"), _flag("commercial_licences"))

PUBLISHED: Mapping[str, tuple[GateRule, ...]] = {
    "embedded": (
        *_SOUND,
        GateRule(fact="eer", at_most=0.10, source="facegate, rendered people"),
        GateRule(fact="fmr", at_most=0.03, source="facegate, rendered people"),
        GateRule(fact="fnmr", at_most=0.40, source="facegate, rendered people"),
        GateRule(fact="worst_apcer", at_most=0.40, source="facegate, rendered people"),
        GateRule(fact="bpcer", at_most=0.15, source="facegate, rendered people"),
        GateRule(fact="recognition_decisions_flipped", at_most=0.03, source="facegate", required=False),
        GateRule(fact="spoof_decisions_flipped", at_most=0.05, source="facegate", required=False),
        GateRule(fact="decision_latency_ms_p95", at_most=100.0, source="facegate", required=False),
    ),
    "android-class3": (
        *_SOUND,
        *_REAL,
        GateRule(fact="fmr", at_most=2e-5, source=_ANDROID),
        GateRule(fact="false_reject", at_most=0.10, source=_ANDROID + ", strongly recommended"),
        GateRule(fact="iapar", at_most=0.07, source=_ANDROID + ", SAR/IAR"),
        GateRule(fact="decision_latency_ms_p95", at_most=1000.0, source=_ANDROID),
    ),
    "nist-800-63b": (
        *_SOUND,
        *_REAL,
        GateRule(fact="fmr", at_most=1e-4, source=_NIST),
        GateRule(fact="fnmr", at_most=0.05, source=_NIST),
        GateRule(fact="iapar", at_most=0.07, source=_NIST),
    ),
    "fido": (
        *_SOUND,
        *_REAL,
        GateRule(
            fact="fmr", source=_FIDO + ": the FAR of each level was not read", verified=False, required=False
        ),
        GateRule(fact="false_reject", at_most=0.03, source=_FIDO + ", revision history", verified=False),
        GateRule(fact="worst_apcer", at_most=0.07, source=_FIDO + ", IAPAR per species"),
    ),
}


def gate_rules(params: GatesParams, profile: str | None = None) -> Sequence[GateRule]:
    """Rules of a profile: a published one, or one of ``gates.profiles``.

    Raises:
        ParamsError: there is no such profile, or an own one takes a published name.
    """
    taken = sorted(PUBLISHED.keys() & params.profiles.keys())
    if taken:
        raise ParamsError(
            f"params.yaml: `gates.profiles.{taken[0]}` takes the name of a published gate", "give it another"
        )
    known = {**PUBLISHED, **params.profiles}
    name = profile or params.profile
    if name not in known:
        raise ParamsError(
            f"there is no gate `{name}`", f"choose one of {', '.join(known)}, or add it to gates.profiles"
        )
    return known[name]

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
_REAL = tuple(_flag(fact) for fact in ("real_people", "commercial_licences", "signed"))
_DEMO = "facegate, rendered people"


def _most(fact: str, limit: float, source: str = _DEMO, *, required: bool = True) -> GateRule:
    return GateRule(fact=fact, at_most=limit, source=source, required=required)


PUBLISHED: Mapping[str, tuple[GateRule, ...]] = {
    # Why each limit is what it is: docs/promoting.md. Chosen before the models that are held against them.
    "embedded": (
        *_SOUND,
        _most("eer", 0.10),
        _most("fmr_at_fmr_1e-2", 0.03),
        _most("fnmr_at_fmr_1e-2", 0.40),
        _most("worst_slice_fnmr", 0.75, required=False),
        _most("worst_apcer", 0.40),
        _most("bpcer", 0.15),
        _most("worst_slice_bpcer", 0.50, required=False),
        _most("iapar", 0.30),
        _most("false_accept", 0.03),
        _most("false_reject", 0.50),
        _most("false_reject_3_attempts", 0.40),
        _most("recognition_decisions_flipped", 0.03, "facegate, int8 against fp32", required=False),
        _most("spoof_decisions_flipped", 0.05, "facegate, int8 against fp32", required=False),
        _most("decision_latency_ms_p95", 300.0, "facegate, well under a second"),
        _most("recognition_peak_megabytes", 256.0, "facegate, small boards", required=False),
        _most("spoof_peak_megabytes", 256.0, "facegate, small boards", required=False),
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
        GateRule(fact="iapar", at_most=0.07, source=_FIDO + ", IAPAR per species; 15 % at the lower level"),
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

"""The embedded gate on score tables: what must pass passes, what must not does not, and for the right reason."""

from pathlib import Path

from facegate.registry.gate import Finding, Verdict, judge
from facegate.registry.limits import PUBLISHED
from tests.registry.simulated import release_folder

D_PRIME_OF_EER_7 = 2.95
D_PRIME_OF_EER_28 = 1.17
"""What a recogniser reaches after one epoch; EER = Φ(−d′ / 2)."""


def findings(folder: Path, gate: str = "embedded", **of: object) -> dict[str, Finding]:
    facts, _ = release_folder(folder, **of)  # pyright: ignore[reportArgumentType]
    facts = facts.model_copy(update={"flags": {**facts.flags, "no_regression": True}})
    return {found.fact: found for found in judge(facts, PUBLISHED[gate])}


def blocking(found: dict[str, Finding]) -> set[str]:
    return {fact for fact, finding in found.items() if finding.blocking}


def test_a_sound_release_passes_and_every_required_rule_was_measured(tmp_path: Path) -> None:
    found = findings(tmp_path, recognition_skill=D_PRIME_OF_EER_7)
    assert blocking(found) == set()
    required = [rule.fact for rule in PUBLISHED["embedded"] if rule.required]
    assert all(found[fact].verdict is Verdict.PASS for fact in required)


def test_a_recogniser_of_one_epoch_is_refused(tmp_path: Path) -> None:
    found = findings(tmp_path, recognition_skill=D_PRIME_OF_EER_28)
    assert {"eer", "fnmr_at_fmr_1e-2", "false_reject"} <= blocking(found)
    assert "the rate itself is too high" in found["eer"].note


def test_a_spoof_model_of_one_epoch_is_refused(tmp_path: Path) -> None:
    assert {"worst_apcer", "iapar"} <= blocking(findings(tmp_path, spoof_skill=1.0))


def test_one_open_species_is_refused_although_the_mean_is_fine(tmp_path: Path) -> None:
    """The other five species are closed so well that the mean APCER is that of the model that passes."""
    found = findings(
        tmp_path, recognition_skill=D_PRIME_OF_EER_7, spoof_skill=4.5, open_species="replay_tablet"
    )
    assert blocking(found) == {"worst_apcer", "iapar"}
    assert "replay_tablet" in found["worst_apcer"].note
    assert "replay_tablet" in found["iapar"].note
    assert found["bpcer"].verdict is Verdict.PASS


def test_too_few_people_are_refused_whatever_the_rate(tmp_path: Path) -> None:
    found = findings(tmp_path, spoof_skill=9.0, spoof_people=6)
    assert found["worst_apcer"].value == "0.00 %"
    assert found["worst_apcer"].verdict is Verdict.TOO_FEW
    assert "at least 8 independent trials (people, not pictures)" in found["worst_apcer"].note


def test_the_published_gates_refuse_rendered_people_with_reasons(tmp_path: Path) -> None:
    facts, _ = release_folder(tmp_path, recognition_skill=D_PRIME_OF_EER_7)
    for gate in ("nist-800-63b", "android-class3", "fido"):
        found = {finding.fact: finding for finding in judge(facts, PUBLISHED[gate])}
        assert {"real_people", "signed", "iapar"} <= blocking(found)
        assert "people" in found["iapar"].note

"""Releases, the gate on them, promotion, rollback and the record."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.errors import FacegateError, RegistryError
from facegate.params import GateRule, GatesParams, Params
from facegate.registry import aliases as alias_room
from facegate.registry.aliases import current_aliases
from facegate.registry.evidence import Evidence
from facegate.registry.gate_report import text_table
from facegate.registry.promote import Proposal, check, promote, promotions_folder, rollback, set_shadow
from facegate.registry.record import read_record
from facegate.registry.register import register_bundle
from facegate.registry.release import read_release
from facegate.registry.releases import create_release, pull, usual_parts
from facegate.registry.store import Store, init_store
from facegate.registry.verify import verify
from tests.registry.chaos import kill_rounds, race_rounds

NAME = "facegate-release"
FIRST, SECOND, OPEN, WORSE = "1234"

pytestmark = pytest.mark.usefixtures("releases")


@pytest.fixture
def easy(params: Params) -> Params:
    """Parameters with a gate that two dozen people can pass."""
    rules = tuple(
        GateRule(fact=fact, at_most=limit)
        for fact, limit in (("worst_apcer", 0.6), ("bpcer", 0.6), ("eer", 0.3), ("fmr", 0.5))
    )
    sound = tuple(GateRule(fact=fact) for fact in ("golden_vectors", "data_contracts", "no_regression"))
    gates = GatesParams(profile="easy", profiles={"easy": rules + sound})
    evaluate = params.evaluate.model_copy(update={"bootstrap": 100})
    return params.model_copy(update={"gates": gates, "evaluate": evaluate})


def ask(version: str, params: Params) -> Proposal:
    return check(params, "production", reference=version)


def pointing(store: Store) -> dict[str, int]:
    found = current_aliases(store, NAME)
    return {alias: version for alias, version in found.items() if alias != "candidate"}


def test_a_release_is_made_once(store: Store, params: Params) -> None:
    references = {Task.RECOGNITION: "recognition/1", Task.SPOOF: "spoof/1"}
    done = create_release(references, params)
    assert (done.name, done.version, done.created) == (NAME, FIRST, False)
    assert current_aliases(store, NAME) == {"candidate": 1}
    with pytest.raises(RegistryError, match="needs a version for spoof"):
        create_release({Task.RECOGNITION: "recognition/1"}, params)
    with pytest.raises(RegistryError, match="is no spoof model"):
        create_release({Task.RECOGNITION: "recognition/1", Task.SPOOF: "recognition/1"}, params)


def test_a_release_is_made_of_every_int8_candidate(
    releases: Path, make_bundle: Callable[..., Path], params: Params
) -> None:
    assert usual_parts(params) == {}  # what is registered so far is fp32
    bundle = make_bundle(Task.SPOOF, "x86-vnni", 9.0)
    register_bundle(bundle, params, Evidence(files={}), inputs={})
    assert usual_parts(params) == {Task.SPOOF: "spoof@candidate-int8"}
    assert usual_parts(params, releases) == usual_parts(params)


def test_a_release_runs_alone(tmp_path: Path) -> None:
    out = tmp_path / "device"
    manifest = pull("release@candidate", out)
    assert read_release(out) == manifest
    assert set(manifest.components) == {"recognition", "spoof"}
    assert manifest.synthetic_only
    with pytest.raises(RegistryError, match="exists already"):
        pull("release@candidate", out)
    (out / "models" / "spoof" / "golden.npz").write_bytes(b"edited")
    with pytest.raises(RegistryError, match=r"models/spoof/golden.npz: edited"):
        read_release(out)


def test_promote_and_roll_back(store: Store, easy: Params) -> None:
    proposal = ask(FIRST, easy)
    assert proposal.report.passed, text_table(proposal.report)
    promote(proposal, reason="first", who="ann")
    assert pointing(store) == {"production": 1}
    with pytest.raises(RegistryError, match="no release to go back to"):
        rollback(easy)
    promote(ask(SECOND, easy), who="ann")
    assert pointing(store) == {"production": 2, "previous": 1}
    rollback(easy, reason="doors stay shut", who="bob")
    assert pointing(store) == {"production": 1, "previous": 2}
    entries = read_record(promotions_folder())
    assert [(e.action, e.release, e.before, e.who) for e in entries] == [
        ("promote", 1, None, "ann"),
        ("promote", 2, 1, "ann"),
        ("rollback", 1, 2, "bob"),
    ]
    assert all(entry.passed for entry in entries[:2])


def test_a_shadow_needs_no_gate_and_is_recorded(store: Store, easy: Params) -> None:
    promote(ask(FIRST, easy))
    set_shadow(easy, OPEN, reason="to compare")
    assert pointing(store) == {"production": 1, "shadow": 3}
    with pytest.raises(RegistryError, match="release 3 is the shadow already"):
        set_shadow(easy, OPEN)
    assert verify(easy) == []
    set_shadow(easy, None)
    assert pointing(store) == {"production": 1}
    with pytest.raises(RegistryError, match="no release is the shadow already"):
        set_shadow(easy, None)
    entries = read_record(promotions_folder())
    assert [(e.action, e.stage, e.release, e.before) for e in entries[1:]] == [
        ("shadow", "shadow", 3, None),
        ("shadow", "shadow", None, 3),
    ]
    assert verify(easy) == []


def test_a_shadow_set_past_the_record_is_noticed(store: Store, easy: Params) -> None:
    promote(ask(FIRST, easy))
    store.client.set_registered_model_alias(NAME, "shadow", "2")
    assert any("`shadow` is 2" in problem for problem in verify(easy))


def test_an_open_species_is_refused_whatever_the_mean(easy: Params) -> None:
    proposal = ask(OPEN, easy)
    failed = {f.fact: f for f in proposal.report.findings if f.blocking}
    assert set(failed) == {"worst_apcer"}
    assert "print" in failed["worst_apcer"].note
    with pytest.raises(RegistryError, match="does not pass the gate `easy`: worst_apcer"):
        promote(proposal)


def test_an_override_is_recorded_for_ever(store: Store, easy: Params) -> None:
    proposal = ask(OPEN, easy)
    entry = promote(proposal, override="demonstration without a door")
    assert entry.passed is False
    assert read_record(promotions_folder())[0].override == "demonstration without a door"
    assert pointing(store) == {"production": 3}


def test_a_worse_model_is_refused_by_the_paired_test(easy: Params) -> None:
    promote(ask(FIRST, easy))
    worse = ask(WORSE, easy)
    failed = {f.fact: f.note for f in worse.report.findings if f.blocking}
    assert "no_regression" in failed
    assert "recognition: eer +" in failed["no_regression"]


def test_the_published_gate_names_reasons_and_sample_sizes(easy: Params) -> None:
    report = check(easy, "production", profile="nist-800-63b").report
    assert not report.passed
    notes = {f.fact: f.note for f in report.findings}
    assert "36,887 people are needed" in notes["fmr"]
    assert "real_people" in {f.fact for f in report.findings if f.blocking}
    assert "NOT passed" in text_table(report)


def test_the_report_is_kept_with_the_release(store: Store, easy: Params) -> None:
    promote(ask(FIRST, easy))
    entry = read_record(promotions_folder())[0]
    version = store.client.get_model_version(NAME, "1")
    kept = [file.path for file in store.client.list_artifacts(str(version.run_id), "gate")]
    assert f"gate/easy-{entry.gate_sha256[:12]}.json" in kept
    assert f"gate/easy-{entry.gate_sha256[:12]}.html" in kept
    assert version.tags["gate.easy"] == "passed"
    assert "Gate easy" in str(version.description)
    check(easy, "production", reference=FIRST, profile="nist-800-63b")
    version = store.client.get_model_version(NAME, "1")
    assert version.tags["gate.nist-800-63b"] == "refused"
    assert "Gate easy" in str(version.description)


def test_of_two_promotions_one_wins_and_the_other_is_told(store: Store, easy: Params) -> None:
    proposals = [ask(FIRST, easy), ask(SECOND, easy)]
    told: list[str] = []

    def attempt(proposal: Proposal) -> None:
        try:
            promote(proposal)
        except FacegateError as error:
            told.append(error.problem)

    threads = [threading.Thread(target=attempt, args=(proposal,)) for proposal in proposals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    assert "when the gate ran" in told[0]
    entries = read_record(promotions_folder())
    assert len(entries) == 1
    assert current_aliases(store, NAME)["production"] == entries[0].release


@pytest.mark.parametrize("after", range(9))
def test_a_kill_leaves_before_or_after(store: Store, easy: Params, after: int) -> None:
    """Dies at the n-th durable step of the second promotion; whoever comes next finds it done, or not begun."""
    promote(ask(FIRST, easy))
    proposal = ask(SECOND, easy)
    child = os.fork()
    if child == 0:
        die_after(after)
        try:
            promote(proposal)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    with alias_room.exclusive(promotions_folder()):
        alias_room.recover(store, promotions_folder())
    entries = read_record(promotions_folder())
    found = pointing(store)
    before = (1, {"production": 1})
    done = (2, {"production": 2, "previous": 1})
    assert (len(entries), found) in (before, done)
    assert after > 0 or len(entries) == 1
    rollback_possible = len(entries) == 2
    if rollback_possible:
        assert rollback(easy).release == 1
    assert not (promotions_folder() / "journal.json").exists()


def die_after(steps: int) -> None:
    """End this process as kill -9 would, before its n-th write to disk or store."""
    left = steps
    client = init_store().client.__class__

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal left
            if left == 0:
                os._exit(9)
            left -= 1
            return function(*args, **kwargs)

        return call

    for name in ("set_registered_model_alias", "set_registered_model_tag"):
        setattr(client, name, counted(getattr(client, name)))
    os.fsync = counted(os.fsync)  # pyright: ignore[reportAttributeAccessIssue]
    Path.replace = counted(Path.replace)  # pyright: ignore[reportAttributeAccessIssue]
    Path.unlink = counted(Path.unlink)  # pyright: ignore[reportAttributeAccessIssue]


def test_random_kills_and_races_leave_the_registry_whole(easy: Params) -> None:
    """A short version of ``python -m tests.registry.chaos 200 50``."""
    proposals = [ask(FIRST, easy), ask(SECOND, easy), ask(OPEN, easy)]
    passed = [replace(p, report=p.report.model_copy(update={"passed": True})) for p in proposals]
    outcome = kill_rounds(passed[:2], easy, 6)
    assert outcome["before"] + outcome["after"] == 6
    assert race_rounds(passed, easy, 2) == 2


@pytest.mark.parametrize("content", [b"{}", b"\xff no text"])
def test_a_damaged_journal_is_named_and_kept(easy: Params, content: bytes) -> None:
    promote(ask(FIRST, easy))
    journal = promotions_folder() / "journal.json"
    journal.write_bytes(content)
    with pytest.raises(RegistryError, match=r"journal\.json: was edited"):
        rollback(easy)
    assert journal.read_bytes() == content


@pytest.mark.parametrize("damage", ["edit", "drop", "reorder", "truncate", "no text"])
def test_a_tampered_record_is_noticed(easy: Params, damage: str) -> None:
    promote(ask(FIRST, easy))
    promote(ask(SECOND, easy))
    path = promotions_folder() / "record.jsonl"
    one, two = path.read_text().splitlines()
    edited = json.dumps({**json.loads(one), "who": "nobody"})
    scrambled = f"\udcff{one}"
    changed = {
        "edit": [edited, two],
        "drop": [two],
        "reorder": [two, one],
        "truncate": [one],
        "no text": [scrambled, two],
    }[damage]
    path.write_text("\n".join(changed) + "\n", errors="surrogateescape")
    with pytest.raises(RegistryError, match=r"line 1|does not end where"):
        rollback(easy)

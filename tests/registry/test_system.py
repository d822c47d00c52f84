"""A release as one system: its rates against tables counted by hand, and a real run over real photographs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from facegate.contracts import SAMPLE_COLUMNS, Split
from facegate.datasets.pack import PackWriter, arrow_schema, encode_jpeg, open_pack
from facegate.errors import NotMeasurableError
from facegate.faces.picture import load_picture
from facegate.params import EvaluateParams, Params
from facegate.registry.facts import release_facts
from facegate.registry.promote import check
from facegate.registry.releases import evaluate_release, pull
from facegate.registry.store import Store
from facegate.registry.system import SYSTEM_COLUMNS, score_system
from facegate.registry.system_rates import system_rates
from facegate.runtime.release import open_release

QUICK = EvaluateParams(bootstrap=100)
Claim = tuple[str, str, str, bool, float, float]
"""Subject, claimed subject, species, acquired, PAD score, match score."""


def claims(rows: list[Claim]) -> pa.Table:
    names = [c.name for c in SYSTEM_COLUMNS]
    values = [dict(zip(names, (f"p{i}", *row), strict=True)) for i, row in enumerate(rows)]
    return pa.Table.from_pylist(values, schema=arrow_schema(SYSTEM_COLUMNS))


def genuine(person: str, *accepted: bool) -> list[Claim]:
    return [(person, person, "bona_fide", True, 0.9, 0.9 if ok else 0.1) for ok in accepted]


def test_an_attack_counts_only_if_it_passes_both_checks() -> None:
    rows: list[Claim] = [
        ("a", "a", "print", True, 0.9, 0.9),  # passes both
        ("a", "a", "print", True, 0.9, 0.1),  # matcher stops it
        ("b", "b", "print", True, 0.1, 0.9),  # attack detection stops it
        ("b", "b", "print", False, 0.9, 0.9),  # never acquired
        ("a", "a", "mask_rigid", True, 0.1, 0.9),
        ("b", "b", "mask_rigid", True, 0.2, 0.9),
        *genuine("a", True),
        *genuine("b", True),
        ("a", "b", "bona_fide", True, 0.9, 0.9),
        ("b", "a", "bona_fide", True, 0.9, 0.1),
    ]
    found = system_rates(claims(rows), 0.5, 0.5, QUICK)
    assert (found["iapar"]["worst_species"], found["iapar"]["worst"]["errors"]) == ("print", 1)
    assert found["iapar"]["worst"]["trials"] == 4
    assert found["iapar"]["species"]["mask_rigid"]["errors"] == 0
    assert found["iapmr"]["species"]["mask_rigid"]["errors"] == 2  # without attack detection both would pass
    assert (found["false_accept"]["errors"], found["false_accept"]["trials"]) == (1, 2)
    assert (found["false_reject"]["errors"], found["false_reject"]["trials"]) == (0, 2)


def test_thresholds_accept_at_equality() -> None:
    rows: list[Claim] = [
        ("a", "a", "print", True, 0.5, 0.5),
        ("b", "b", "print", True, 0.4999, 0.5),
        *genuine("a", True),
        *genuine("b", True),
        ("a", "b", "bona_fide", True, 0.5, 0.4999),
    ]
    found = system_rates(claims(rows), 0.5, 0.5, QUICK)
    assert found["iapar"]["worst"]["errors"] == 1
    assert found["false_accept"]["errors"] == 0


def test_a_person_who_is_not_seen_is_refused_and_three_attempts_are_one_transaction() -> None:
    unseen: Claim = ("a", "a", "bona_fide", False, float("nan"), float("nan"))
    rows = [
        unseen,
        *genuine("a", True, False, False, False),  # one triple holds a success, two attempts are left over
        *genuine("b", False, False, False, True, True, True),
        ("a", "a", "print", True, 0.1, 0.1),
    ]
    found = system_rates(claims(rows), 0.5, 0.5, QUICK)
    assert (found["failure_to_acquire"]["errors"], found["failure_to_acquire"]["trials"]) == (1, 11)
    assert (found["false_reject"]["errors"], found["false_reject"]["trials"]) == (7, 11)
    assert (found["false_reject_3_attempts"]["errors"], found["false_reject_3_attempts"]["trials"]) == (1, 3)


def test_intervals_are_over_people_and_not_pictures() -> None:
    people = [f"p{i}" for i in range(12)]
    rows = [row for p in people for row in genuine(p, *[p not in people[:3]] * 20)]
    rows += [(p, p, "print", True, 0.1, 0.9) for p in people]
    found = system_rates(claims(rows), 0.5, 0.5, EvaluateParams(bootstrap=400))
    rate = found["false_reject"]
    assert rate["value"] == 0.25
    assert rate["high"] > 0.45  # 12 people, whatever the 240 pictures


@pytest.fixture(scope="session")
def presentations(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """Three real people; attacks are their photographs blurred and brightened, one of each is too small to see."""
    out = tmp_path_factory.mktemp("samples") / "attacks"
    files = {"obama": ("obama.jpg", "obama2.jpg"), "biden": ("biden.jpg",), "collins": ("astronaut.png",)}
    with PackWriter(out, SAMPLE_COLUMNS, {"source": "folder"}) as writer:
        for person, names in files.items():
            pictures = [load_picture(photos / name) for name in names]
            shown = [*pictures, np.ascontiguousarray(pictures[0][:, ::-1]), pictures[0][::16, ::16]]
            attack = np.clip(pictures[0].astype(int) + 30, 0, 255).astype(np.uint8)
            for number, (species, picture) in enumerate(
                [("bona_fide", p) for p in shown] + [("print", attack)]
            ):
                writer.write(
                    {
                        "sample_id": f"{person}-{number}", "subject_id": person, "split": Split.TEST.value,
                        "species": species, "image": encode_jpeg(picture), "width": picture.shape[1],
                        "height": picture.shape[0], "source": "folder",
                    }
                )  # fmt: skip
    return out


def test_a_release_is_run_as_one_system_and_becomes_another_version(
    releases: Path, store: Store, params: Params, presentations: Path, tmp_path: Path
) -> None:
    quick = params.model_copy(update={"evaluate": QUICK})
    done = evaluate_release("release/1", quick, presentations)
    assert (done.created, done.version) == (True, "5")
    again = evaluate_release("release/1", quick, presentations)
    assert (again.created, again.version) == (False, "5")
    out = tmp_path / "release"
    manifest = pull("release/5", out)
    evidence = json.loads((out / "evidence" / "system" / "evaluation.json").read_text())
    assert evidence["synthetic"] is False
    assert evidence["people"] == 3
    assert evidence["failure_to_acquire"]["errors"] == 3  # the tiny pictures
    assert evidence["false_reject"]["trials"] == 7  # ten bona fide pictures, three of them enrolled
    assert evidence["iapar"]["worst"]["trials"] == 3
    assert evidence["decision_ms"]["frames"] == 10
    facts = release_facts(out, manifest)
    assert {"iapar", "false_reject", "false_accept"} <= set(facts.rates)
    assert facts.numbers["decision_latency_ms_p95"] > 0
    report = check(quick, "production", reference="5", profile="nist-800-63b").report
    assert next(f for f in report.findings if f.fact == "iapar").trials == 3


def test_a_release_that_was_not_run_as_a_system_passes_no_gate(
    releases: Path, store: Store, params: Params
) -> None:
    report = check(params, "production", reference="1", profile="android-class3").report
    iapar = next(f for f in report.findings if f.fact == "iapar")
    assert iapar.blocking
    assert "facegate release evaluate" in iapar.note


def test_what_cannot_be_measured_is_said(
    releases: Path, store: Store, presentations: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    engine = open_release(out, pull("release/1", out))
    with pytest.raises(NotMeasurableError, match="no attacks in val"):
        score_system(engine, open_pack(presentations), Split.VAL)


def test_the_scores_are_those_of_the_engine(
    releases: Path, store: Store, presentations: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    engine = open_release(out, pull("release/1", out))
    pack = open_pack(presentations)
    table: list[dict[str, Any]] = score_system(engine, pack).to_pylist()
    probe = next(row for row in table if row["probe_id"] == "obama-1" and row["claimed_subject"] == "obama")
    ids = pack.column("sample_id").tolist()
    first, second = (pack.image(ids.index(f"obama-{n}")) for n in (0, 1))
    (a, *_), (b, *_) = engine.look(first), engine.look(second)
    judge = engine.spoof
    assert judge is not None
    assert probe["pad_score"] == pytest.approx(judge.score(second, b.face))
    cosine = float(engine.recogniser.embed(first, a.face) @ engine.recogniser.embed(second, b.face))
    assert probe["match_score"] == pytest.approx(cosine, abs=1e-5)

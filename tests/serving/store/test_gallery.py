from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from facegate.serving.store import (
    Attendance,
    ConflictError,
    Gallery,
    InvalidError,
    NotFoundError,
    Vault,
    VaultError,
    new_key_line,
)
from facegate.serving.store.columns import utc_now
from facegate.serving.store.schema import crops, removals, templates
from tests.serving.store.conftest import MODEL, OTHER


def crop(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (12, 12, 3)).astype(np.uint8)


def mean_scores(groups: Sequence[np.ndarray], probe: np.ndarray) -> list[float]:
    """Cosine of a probe with the mean of each group of unit vectors, by hand."""
    means = [np.asarray(group, np.float64).mean(axis=0) for group in groups]
    return [float(mean @ probe / np.sqrt(mean @ mean)) for mean in means]


def test_an_enrolled_person_is_found_by_the_mean_of_the_templates(gallery, draw):
    vectors = draw(6)
    groups = [vectors[2 * i : 2 * i + 2] for i in range(3)]
    people = [gallery.enrol(name=f"Person {i}", templates=group) for i, group in enumerate(groups)]
    match = gallery.search(vectors[3])
    assert match is not None
    assert match.person == people[1].id
    scores = mean_scores(groups, vectors[3])
    found = gallery.candidates(vectors[3], count=3)
    assert [m.person for m in found] == [people[i].id for i in np.argsort(scores)[::-1]]
    assert [m.score for m in found] == pytest.approx(sorted(scores, reverse=True), abs=1e-6)
    assert gallery.compare(people[0].id, vectors[3]) == pytest.approx(scores[0], abs=1e-6)


def test_pictures_that_come_later_move_the_mean_for_every_worker_and_for_one_that_starts_anew(
    gallery, database, vault, draw
):
    vectors, other = draw(7), Gallery(database, vault, MODEL)
    first = gallery.enrol(name="First", templates=vectors[:2])
    second = gallery.enrol(name="Second", templates=vectors[4:5])
    other.refresh()
    gallery.add_templates(first.id, templates=vectors[2:4])
    gallery.add_templates(second.id, templates=vectors[5:])
    other.refresh()
    expected = dict(
        zip((first.id, second.id), mean_scores([vectors[:4], vectors[4:]], vectors[6]), strict=True)
    )
    for worker in (gallery, other, Gallery(database, vault, MODEL)):
        assert {m.person: m.score for m in worker.candidates(vectors[6])} == pytest.approx(expected, abs=1e-6)
        assert len(worker) == 7
    gallery.delete(second.id)
    other.refresh()
    for worker in (gallery, other):
        assert [m.person for m in worker.candidates(vectors[6])] == [first.id]
        assert len(worker) == 4


def test_pictures_that_cancel_each_other_out_are_like_nobody(gallery, draw):
    vector = draw(1)
    person = gallery.enrol(name="Odd", templates=np.concatenate([vector, -vector]))
    assert [m.score for m in gallery.candidates(vector[0])] == [0.0]
    assert gallery.compare(person.id, vector[0]) == 0.0


def test_an_empty_gallery_knows_nobody(gallery, draw):
    assert gallery.search(draw(1)[0]) is None
    assert gallery.candidates(draw(1)[0]) == []


def test_embeddings_of_any_length_are_brought_to_unit_length(gallery, draw):
    vectors = draw(1)
    person = gallery.enrol(name="Long", templates=7 * vectors)
    assert [m.score for m in gallery.candidates(vectors[0] * 3)] == pytest.approx([1], abs=1e-6)
    assert gallery.compare(person.id, vectors[0]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " "}, "name has 0 characters"),
        ({"name": "a\nb"}, "control character"),
        ({"name": "x" * 201}, "201 characters"),
        ({"person_id": "../etc"}, "no identifier"),
        ({"templates": np.zeros((1, 16), np.float32)}, "zero or no number"),
        ({"templates": np.full((1, 16), np.nan, np.float32)}, "zero or no number"),
        ({"templates": np.full((1, 16), 3e38, np.float32)}, "zero or no number"),
        ({"templates": np.ones((1, 8), np.float32)}, "gives 16 numbers"),
        ({"templates": np.ones((0, 16), np.float32)}, "no template"),
        ({"crops": []}, "0 crops for 1 templates"),
        ({"crops": [np.zeros((4, 4), np.uint8)]}, "crop of shape"),
        ({"keep_until": datetime(2030, 1, 1)}, "no zone"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(gallery, change, says):
    given = {"name": "Ada", "templates": np.ones((1, 16), np.float32)} | change
    with pytest.raises(InvalidError, match=says):
        gallery.enrol(**given)
    assert gallery.persons().total == 0
    assert len(gallery) == 0


def test_an_identifier_is_taken_once(gallery, draw):
    gallery.enrol(name="Ada", templates=draw(1), person_id="ada")
    with pytest.raises(ConflictError, match="`ada` is enrolled already"):
        gallery.enrol(name="Other", templates=draw(1), person_id="ada")
    assert gallery.person("ada").name == "Ada"
    assert len(gallery) == 1


def test_persons_are_listed_by_name_and_found_without_case_and_accents(gallery, draw):
    for name in ("Zoë", "Émile", "anna", "Bob %"):
        gallery.enrol(name=name, templates=draw(1))
    assert [p.name for p in gallery.persons().persons] == ["anna", "Bob %", "Émile", "Zoë"]
    second = gallery.persons(page=2, size=3)
    assert ([p.name for p in second.persons], second.total) == (["Zoë"], 4)
    assert [p.name for p in gallery.persons(search="ZOE").persons] == ["Zoë"]
    assert [p.name for p in gallery.persons(search="%").persons] == ["Bob %"]
    assert gallery.persons(search="a\0").total == 0
    with pytest.raises(InvalidError, match="page 0"):
        gallery.persons(page=0)
    with pytest.raises(InvalidError, match="out of range"):
        gallery.persons(page=10**20)


def test_a_person_gets_more_pictures_and_another_name(gallery, draw):
    person = gallery.enrol(name="Ada", templates=draw(1))
    more = draw(2)
    changed = gallery.add_templates(
        person.id, templates=more, crops=[crop(0), crop(1)], qualities=[0.5, None]
    )
    assert (changed.templates, changed.crops) == (3, 2)
    assert [m.person for m in gallery.candidates(more[1], count=1)] == [person.id]
    assert gallery.rename(person.id, "Ada L.").name == "Ada L."


def test_duplicates_are_other_persons_above_a_threshold(gallery, draw):
    vectors = draw(2)
    first = gallery.enrol(name="A", templates=vectors[:1])
    second = gallery.enrol(name="B", templates=vectors[:1] + 0.1 * vectors[1:])
    assert [m.person for m in gallery.duplicates(vectors[0], 0.9)] == [first.id, second.id]
    assert [m.person for m in gallery.duplicates(vectors[0], 0.9, besides=first.id)] == [second.id]
    assert gallery.duplicates(vectors[1], 0.9) == []


@pytest.mark.parametrize("call", ["person", "delete", "compare", "rename", "add_templates", "keep_until"])
def test_who_is_not_there_is_named(gallery, draw, call):
    rest = {"compare": (draw(1)[0],), "rename": ("X",), "keep_until": (None,)}.get(call, ())
    more = {"templates": draw(1)} if call == "add_templates" else {}
    with pytest.raises(NotFoundError, match="no person `nobody`"):
        getattr(gallery, call)("nobody", *rest, **more)


def test_another_worker_follows_every_change(gallery, database, vault, draw):
    other = Gallery(database, vault, MODEL)
    vectors = draw(3)
    assert not other.refresh()
    person = gallery.enrol(name="Ada", templates=vectors[:2])
    assert other.search(vectors[0]) is None
    assert other.refresh()
    assert [m.person for m in other.candidates(vectors[0], count=1)] == [person.id]
    gallery.add_templates(person.id, templates=vectors[2:])
    gallery.delete(person.id)
    late = gallery.enrol(name="Late", templates=vectors[2:])
    assert other.refresh()
    assert [m.person for m in other.candidates(vectors[0])] == [late.id]
    assert (len(other), len(gallery)) == (1, 1)


def test_a_worker_that_slept_too_long_reads_everything_anew(gallery, database, vault, draw):
    vectors = draw(2)
    gone = gallery.enrol(name="Gone", templates=vectors[:1])
    other = Gallery(database, vault, MODEL)
    gallery.delete(gone.id)
    gallery.enrol(name="New", templates=vectors[1:])
    gallery.purge(utc_now() + timedelta(days=8))
    with database.read() as connection:
        assert connection.execute(select(removals)).all() == []
    assert other.refresh()
    assert len(other) == 1


def test_deletion_takes_templates_crops_and_attendance_along(gallery, database, draw):
    attendance = Attendance(database)
    person = gallery.enrol(name="Ada", templates=draw(1), crops=[crop(0)])
    kept = gallery.enrol(name="Bob", templates=draw(1))
    for who in (person, kept):
        attendance.mark(who.id)
    mark = attendance.marks(person_id=person.id)[0]
    attendance.correct(mark.id, by="op", reason="test", last_seen=mark.last_seen + timedelta(hours=1))
    gallery.delete(person.id)
    assert [m.person_id for m in attendance.marks()] == [kept.id]
    assert attendance.trail(mark.id) == []
    with database.read() as connection:
        assert connection.execute(select(crops)).all() == []
        assert connection.execute(select(templates.c.person_id)).scalars().all() == [kept.id]


def test_attendance_may_stay_without_a_name(gallery, database, draw):
    attendance = Attendance(database)
    person = gallery.enrol(name="Ada", templates=draw(1))
    attendance.mark(person.id)
    gallery.delete(person.id, keep_attendance=True)
    assert [(m.person_id, m.name) for m in attendance.marks()] == [(person.id, None)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sqlite_files_hold_nothing_of_a_deleted_person(gallery, url, draw):
    person = gallery.enrol(name="Wolfeschlegelsteinhausen", templates=draw(1), crops=[crop(3)])
    with gallery.database.read() as connection:
        sealed = bytes(connection.execute(select(crops.c.sealed)).scalar_one())
    folder = Path(url.removeprefix("sqlite:///")).parent
    secrets = (b"Wolfeschlegelsteinhausen", sealed[:40], person.id.encode())
    before = b"".join(file.read_bytes() for file in folder.iterdir())
    assert all(secret in before for secret in secrets)
    gallery.delete(person.id)
    after = b"".join(file.read_bytes() for file in folder.iterdir())
    assert not any(secret in after for secret in secrets)


def test_no_template_and_no_crop_lies_open_in_the_database(gallery, draw):
    vectors, picture = draw(1), crop(1)
    gallery.enrol(name="Ada", templates=vectors, crops=[picture])
    with gallery.database.read() as connection:
        blobs = [
            bytes(b) for t in (templates, crops) for b in connection.execute(select(t.c.sealed)).scalars()
        ]
    assert len(blobs) == 2
    assert not any(vectors.tobytes()[:8] in blob or b"PNG" in blob for blob in blobs)


def test_a_row_moved_to_another_person_is_left_out_and_named(gallery, database, vault, draw):
    vectors = draw(2)
    victim = gallery.enrol(name="Victim", templates=vectors[:1])
    thief = gallery.enrol(name="Thief", templates=vectors[1:])
    with database.write() as connection:
        rows = connection.execute(select(templates.c.id, templates.c.person_id, templates.c.sealed)).all()
        of = {person: (id_, sealed) for id_, person, sealed in rows}
        stolen = update(templates).where(templates.c.id == of[victim.id][0])
        connection.execute(stolen.values(sealed=of[thief.id][1]))
    fresh = Gallery(database, vault, MODEL)
    assert fresh.damaged == (of[victim.id][0],)
    assert [m.person for m in fresh.candidates(vectors[1])] == [thief.id]


def test_a_gallery_whose_key_is_another_does_not_open(gallery, database, draw):
    gallery.enrol(name="Ada", templates=draw(2))
    with pytest.raises(VaultError, match="no template of the model recogniser opens"):
        Gallery(database, Vault.from_text(new_key_line("first")), MODEL)
    with pytest.raises(VaultError, match="key `first`, which is not here"):
        Gallery(database, Vault.from_text(new_key_line("second")), MODEL)


def test_kept_crops_make_templates_for_a_new_model(gallery, database, vault, draw):
    with_crops = gallery.enrol(name="Kept", templates=draw(2), crops=[crop(1), crop(2)])
    without = gallery.enrol(name="Not kept", templates=draw(1))
    new = Gallery(database, vault, OTHER)
    assert [(w.person_id, w.crops) for w in new.re_enrol_list()] == [(with_crops.id, 2), (without.id, 0)]
    assert gallery.re_enrol_list() == []
    seen: list[np.ndarray] = []

    def embed(pictures: list[np.ndarray]) -> np.ndarray:
        seen.extend(pictures)
        return np.stack([p.reshape(-1)[:8].astype(np.float32) + 1 for p in pictures])

    progress = new.re_enrol(embed)
    assert (progress.made, progress.failed) == (2, 0)
    np.testing.assert_array_equal(seen[1], crop(2))
    assert [w.person_id for w in new.re_enrol_list()] == [without.id]
    assert [m.person for m in new.candidates(embed([crop(2)])[0], count=1)] == [with_crops.id]
    assert new.re_enrol(embed).made == 0
    assert len(gallery) == 3


def test_a_crop_that_the_model_cannot_read_waits(gallery, database, vault, draw):
    person = gallery.enrol(name="Kept", templates=draw(2), crops=[crop(1), crop(2)])
    new = Gallery(database, vault, OTHER)
    good = np.array([[1.0] * 8, [np.nan] * 8], np.float32)
    progress = new.re_enrol(lambda _: good)
    assert (progress.made, progress.failed) == (1, 1)
    assert new.person(person.id).templates == 1


def test_retention_deletes_persons_and_crops_in_time(gallery, draw):
    now = datetime(2030, 1, 1, tzinfo=UTC)
    gone = gallery.enrol(name="Gone", templates=draw(1), keep_until=now - timedelta(seconds=1))
    stays = gallery.enrol(
        name="Stays", templates=draw(1), crops=[crop(0)], keep_until=now + timedelta(days=1)
    )
    assert gallery.purge(now, crop_days=10_000) == 1
    with pytest.raises(NotFoundError):
        gallery.person(gone.id)
    assert gallery.person(stays.id).crops == 1
    gallery.keep_until(stays.id, None)
    assert gallery.purge(now + timedelta(days=365), crop_days=30) == 0
    left = gallery.person(stays.id)
    assert (left.crops, left.templates, left.keep_until) == (0, 1, None)
    assert len(gallery) == 1

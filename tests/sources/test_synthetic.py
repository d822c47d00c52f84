from collections import Counter

import pytest

from facegate.contracts import SAMPLE_COLUMNS, Split
from facegate.datasets.pack import open_pack, rows_of
from facegate.params import DataParams, SyntheticParams
from facegate.sources import synthetic
from facegate.sources.synthetic import write_synthetic


def params(people=10, workers=1, **more):
    counts = {"recognition_people": people, "spoof_people": people, "clip_people": people}
    counts |= {"stills_per_person": 2, "bona_fide_per_person": 2, "attacks_per_species": 1, "clip_frames": 4}
    return DataParams(source="synthetic", synthetic=SyntheticParams(**{**counts, "workers": workers, **more}))


def row(kind, number, index, species="bona_fide"):
    name = f"{kind}-{number}-{index}"
    known = {"sample_id": name, "subject_id": str(number), "species": species, "source": "synthetic"}
    return {**known, "image": name.encode(), "width": 1, "height": 1}


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Renderers that are quick and remember whom they drew."""
    people = []

    def renderer(kind, first_index=0):
        def draw(head, number, parameters):
            people.append(number)
            return [row(kind, number, index) for index in range(parameters.stills_per_person)]

        return draw

    monkeypatch.setattr(synthetic, "_head", lambda path: None)
    monkeypatch.setattr(
        synthetic, "_RENDERERS", {kind: renderer(kind) for kind in ("stills", "attacks", "clips")}
    )
    (tmp_path / "head.npz").write_bytes(b"head")
    return people


def test_the_packs_show_different_people_split_by_person(drawn, tmp_path):
    counts = write_synthetic(params(10), tmp_path, tmp_path / "out", tmp_path / "cache")
    assert counts == {"stills": 20, "attacks": 10 * (2 + 6), "clips": 10 * 7 * 4}
    packs = [open_pack(tmp_path / "out" / name, SAMPLE_COLUMNS) for name in ("stills", "attacks", "clips")]
    subjects = [set(pack.column("subject_id")) for pack in packs]
    assert [len(people) for people in subjects] == [10, 10, 10]
    assert not subjects[0] & subjects[1] and not subjects[1] & subjects[2] and not subjects[0] & subjects[2]
    for pack in packs:
        by_person = {(r["subject_id"], r["split"]) for r in pack.rows()}
        assert Counter(split for _, split in by_person).keys() == set(Split)
        assert len(by_person) == 10
        assert pack.metadata == {"source": "synthetic", "seed": 7, "rendered": True}


def test_a_pack_of_nobody_is_whole_and_empty(drawn, tmp_path):
    nobody = params(clip_people=0, spoof_people=0)
    counts = write_synthetic(nobody, tmp_path, tmp_path / "out", tmp_path / "cache")
    assert counts["clips"] == counts["attacks"] == 0 < counts["stills"]
    assert rows_of(tmp_path / "out" / "clips") == rows_of(tmp_path / "out" / "attacks") == 0


def test_more_people_change_nobody(drawn, tmp_path):
    for people in (6, 14):
        write_synthetic(params(people), tmp_path, tmp_path / str(people), tmp_path / "cache")
    few, many = (open_pack(tmp_path / str(n) / "stills").rows() for n in (6, 14))
    assert few == many[: len(few)]


def test_a_killed_render_goes_on_where_it_stopped(drawn, tmp_path, monkeypatch):
    whole = synthetic._RENDERERS["stills"]

    def killed(head, number, parameters):
        if number == 5:
            raise KeyboardInterrupt
        return whole(head, number, parameters)

    monkeypatch.setitem(synthetic._RENDERERS, "stills", killed)
    with pytest.raises(KeyboardInterrupt):
        write_synthetic(params(8), tmp_path, tmp_path / "out", tmp_path / "cache")
    assert not (tmp_path / "out" / "stills").exists()
    monkeypatch.setitem(synthetic._RENDERERS, "stills", whole)
    write_synthetic(params(8), tmp_path, tmp_path / "out", tmp_path / "cache")
    assert [n for n in drawn if n < 100_000] == list(range(8)), "nobody is drawn twice"
    assert len(open_pack(tmp_path / "out" / "stills")) == 16
    assert list((tmp_path / "cache").iterdir()) == []


def test_rendered_packs_are_equal_for_any_number_of_workers(tmp_path, head_file):
    for workers in (1, 2):
        small = params(2, workers, still_size=96)
        synthetic._write_pack("stills", small, head_file, tmp_path / str(workers), tmp_path / "cache")
    one, two = (open_pack(tmp_path / n / "stills", SAMPLE_COLUMNS) for n in "12")
    assert one.rows() == two.rows()
    assert one.images().shape == (4, 96, 96, 3)


def test_every_renderer_yields_what_its_pack_announces(head_file):
    settings = params(1, attack_size=128, clip_frames=4, clip_size=96).synthetic
    for pack, first in synthetic.FIRST_PERSON.items():
        person = synthetic.Person(pack, first, "train", head_file, settings)
        rows = list(synthetic.render_person(person))
        assert len(rows) == synthetic._extent(pack, settings)[1]
        assert len({row["sample_id"] for row in rows}) == len(rows)
        assert {row["split"] for row in rows} == {"train"}

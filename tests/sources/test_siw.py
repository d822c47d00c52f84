import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.records import Record
from facegate.sources.siw import parse, samples
from tests.sources.miniature import write_text

SPLIT = SplitParams(val=0.2, test=0.2)


@pytest.fixture
def root(tmp_path):
    """Six subjects to train on and three to test on, named with hyphens and, for one, with underscores."""
    for subject in range(1, 10):
        part = "Train" if subject <= 6 else "Test"
        kinds = [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (3, 4)]
        for kind, medium in kinds:
            mark = "_" if subject == 2 else "-"
            stem = mark.join([f"{subject:03d}", "1", str(kind), str(medium), "1"])
            folder = tmp_path / part / ("live" if kind == 1 else "spoof") / f"{subject:03d}"
            write_text(folder / f"{stem}.mov", "")
            write_text(folder / f"{stem}.face", "1 2 3 4\n")
    return tmp_path


def attacks(records: list[Record], *splits):
    return {r.row["species_native"] for r in records if r.row["split"] in splits} - {"live"}


PRINTS = {"print-1", "print-2"}
REPLAYS = {"replay-1", "replay-2", "replay-3", "replay-4"}


@pytest.mark.parametrize(
    ("protocol", "train", "test"),
    [
        ("1", PRINTS | REPLAYS, PRINTS | REPLAYS),
        *((f"2_{m}", REPLAYS - {f"replay-{m}"}, {f"replay-{m}"}) for m in range(1, 5)),
        ("3_1", PRINTS, REPLAYS),
        ("3_2", REPLAYS, PRINTS),
    ],
)
def test_protocols_leave_out_what_they_test(root, protocol, train, test):
    records = list(samples(root, protocol, SPLIT))
    assert attacks(records, "train") == attacks(records, "val") == train
    assert attacks(records, "test") == test
    assert sum(r.row["species"] == "bona_fide" for r in records) == 9
    assert len({(r.row["subject_id"], r.row["split"]) for r in records}) == 9


def test_protocol_1_trains_on_the_first_60_frames_and_tests_on_all(root):
    firsts = {(r.row["split"], r.frames.first) for r in samples(root, "1", SPLIT) if r.frames}
    assert firsts == {("train", 60), ("val", 60), ("test", None)}
    assert {r.frames.first for r in samples(root, "3_1", SPLIT) if r.frames} == {None}


def test_both_ways_of_naming_and_the_side_file(root):
    records = list(samples(root, "", SPLIT))
    assert len({r.row["subject_id"] for r in records}) == 9
    assert all(r.frames and r.frames.boxes and r.frames.boxes.suffix == ".face" for r in records)
    (root / "Test/live/009/009-1-1-1-1.face").unlink()
    (one,) = [r for r in samples(root, "", SPLIT) if r.row["sample_id"] == "009-1-1-1-1"]
    assert one.frames and one.frames.boxes is None


def test_misplaced_and_misnamed_videos_are_refused(root, tmp_path):
    with pytest.raises(SourceError, match="expected subject-sensor-type-medium-session"):
        parse(tmp_path / "003-1-9-1-1.mov")
    write_text(root / "Train/live/001/001-1-2-1-1.mov", "")
    with pytest.raises(SourceError, match="its name and its folder disagree"):
        list(samples(root, "1", SPLIT))


def test_a_subject_in_both_parts_is_refused(root):
    write_text(root / "Test/live/001/001-2-1-1-1.mov", "")
    with pytest.raises(SourceError, match="subjects 001 are in Train and Test"):
        list(samples(root, "1", SPLIT))

import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.oulu_npu import PROTOCOLS, samples
from tests.sources.miniature import write_text


@pytest.fixture
def root(tmp_path):
    """One user in each part; protocol 1 and fold 6 of protocol 4 (its phone 6 is left out of training)."""
    for part, user in (("Train", 1), ("Dev", 21), ("Test", 36)):
        lines = []
        for phone in (1, 6):
            for kind in range(1, 6):
                stem = f"{phone}_1_{user:02d}_{kind}"
                write_text(tmp_path / f"{part}_files/{stem}.avi", "")
                write_text(tmp_path / f"{part}_files/{stem}.txt", "0,455,516,559,528\n")
                lines.append(f"{'+1' if kind == 1 else -1 if kind < 4 else -2},{stem}")
        write_text(tmp_path / f"Protocols/Protocol_1/{part}.txt", "\r\n".join(lines) + "\r\n")
        fold = [line for line in lines if (",6_" in line) == (part == "Test")]
        write_text(tmp_path / f"Protocols/Protocol_4/{part}_6.txt", "\n".join(fold))
    return tmp_path


def test_a_protocol_lists_its_three_parts(root):
    records = list(samples(root, "1", SplitParams()))
    assert [r.row["split"] for r in records] == ["train"] * 10 + ["val"] * 10 + ["test"] * 10
    assert {(r.row["species_native"], r.row["species"]) for r in records} == {
        ("bona fide", "bona_fide"),
        ("print-1", "print"),
        ("print-2", "print"),
        ("display-1", "replay_monitor"),
        ("display-2", "replay_monitor"),
    }
    assert records[0].file == root / "Train_files/1_1_01_1.avi"
    assert (records[0].row["camera"], records[0].row["session"], records[0].row["subject_id"]) == (
        "phone-1",
        "1",
        "01",
    )
    assert all(r.file.is_file() and r.frames for r in records)


def test_a_fold_leaves_its_phone_out(root):
    records = list(samples(root, "4_6", SplitParams()))
    cameras = {(r.row["split"], r.row["camera"]) for r in records}
    assert cameras == {("train", "phone-1"), ("val", "phone-1"), ("test", "phone-6")}
    assert len(PROTOCOLS) == 14


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("+1,1_1_01_2", "label 1 contradicts the name 1_1_01_2"),
        ("-1,1_1_01_1", "label -1 contradicts"),
        ("-1,1_1_01_7", "contradicts"),
        ("1_1_01_1", "line 1: expected `label,phone_session_user_file`"),
        ("+1,../1_1_01_1", "line 1: expected"),
    ],
)
def test_a_bad_line_is_refused(root, line, message):
    write_text(root / "Protocols/Protocol_1/Train.txt", line)
    with pytest.raises(SourceError, match=message):
        list(samples(root, "1", SplitParams()))


def test_a_user_in_two_parts_or_a_missing_fold_is_refused(root):
    write_text(root / "Protocols/Protocol_1/Test.txt", "+1,1_1_01_1")
    with pytest.raises(SourceError, match="user 01 is in two parts"):
        list(samples(root, "1", SplitParams()))
    with pytest.raises(SourceError, match=r"Protocol_3/Train_1\.txt is missing\n.*University of Oulu"):
        list(samples(root, "3_1", SplitParams()))

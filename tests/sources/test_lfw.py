import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.lfw import pairs, read_pairs, samples
from facegate.sources.records import Pair
from tests.sources.miniature import write_image, write_text

MATED = "Ann_Lee\t1\t2\nBo_de_la_X\t1\t3\n"
OTHERS = "Ann_Lee\t1\tBo_de_la_X\t2\nCy\t1\tAnn_Lee\t2\n"


@pytest.fixture
def root(tmp_path):
    for name in ("Ann_Lee", "Bo_de_la_X", "Cy"):
        for number in (1, 2, 3, 10):
            write_image(tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg", number)
    write_text(tmp_path / "pairs.txt", f"2\t2\n{MATED}{OTHERS}{MATED}{OTHERS}")
    write_text(tmp_path / "pairsDevTrain.txt", f"2\n{MATED}{OTHERS}")
    write_text(tmp_path / "pairsDevTest.txt", "1\nCy\t1\t10\nCy\t1\tAnn_Lee\t1\n")
    return tmp_path


def test_view_2_yields_its_folds_and_only_pictures_that_a_pair_names(root):
    found = pairs(root, "view2")
    assert [pair.fold for pair in found] == [1] * 4 + [2] * 4
    assert found[0] == Pair(1, "Ann_Lee_0001", "Ann_Lee_0002", True)
    assert found[2] == Pair(1, "Ann_Lee_0001", "Bo_de_la_X_0002", False)
    records = list(samples(root, "", SplitParams()))
    assert [r.row["sample_id"] for r in records] == [
        "Ann_Lee_0001", "Ann_Lee_0002", "Bo_de_la_X_0001", "Bo_de_la_X_0003", "Bo_de_la_X_0002", "Cy_0001",
    ]  # fmt: skip
    assert {r.row["split"] for r in records} == {"test"}
    assert all(r.file.is_file() for r in records)
    assert {r.row["subject_id"] for r in records} == {"Ann_Lee", "Bo_de_la_X", "Cy"}


def test_view_1_is_for_development(root):
    records = list(samples(root, "view1", SplitParams()))
    assert {r.row["split"] for r in records} == {"val", "test"}
    assert pairs(root, "view1") == [
        Pair(1, "Cy_0001", "Cy_0010", True),
        Pair(1, "Cy_0001", "Ann_Lee_0001", False),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"10\t300\n{MATED}", "announces 6000 pairs, and 2 follow"),
        ("", "line 1: expected the number of folds"),
        ("Ann\t1\t2\n", "line 1: expected the number of folds"),
        ("1\t1\nAnn\t1\nBo\t1\tAnn\t2\n", "line 2: expected `name n1 n2`"),
        ("1\t1\nAnn\t1\ttwo\nBo\t1\tAnn\t2\n", "line 2: expected `name n1 n2`"),
    ],
)
def test_a_malformed_pairs_file_is_refused(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_pairs(write_text(tmp_path / "pairs.txt", text))


def test_windows_ends_and_blanks_are_tolerated(tmp_path):
    file = write_text(tmp_path / "pairs.txt", "1 1\r\nAnn 1 2\r\nAnn 1 Bo 2\r\n\r\n")
    assert [pair.mated for pair in read_pairs(file)] == [True, False]

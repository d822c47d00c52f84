import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.casia_fasd import FILES, samples
from tests.sources.miniature import write_text


@pytest.fixture
def root(tmp_path):
    for part, people in (("train", 6), ("test", 3)):
        for person in range(1, people + 1):
            for stem in FILES:
                write_text(tmp_path / f"{part}_release/{person}/{stem}.avi", "")
    return tmp_path


def test_test_folders_are_other_people_than_train_folders_of_the_same_number(root):
    records = list(samples(root, "", SplitParams(val=0.2, test=0.2)))
    people = {
        split: {r.row["subject_id"] for r in records if r.row["split"] == split}
        for split in ("train", "val", "test")
    }
    assert people["test"] == {"21", "22", "23"}
    assert people["train"] | people["val"] == {"1", "2", "3", "4", "5", "6"}
    assert people["val"] and not people["train"] & people["val"]
    assert len(records) == 9 * 12


@pytest.mark.parametrize(
    ("protocol", "species", "per_person"),
    [
        ("overall", {"bona_fide", "print", "print_cut", "replay_tablet"}, 12),
        ("cut", {"bona_fide", "print_cut"}, 6),
        ("warped", {"bona_fide", "print"}, 6),
        ("video", {"bona_fide", "replay_tablet"}, 6),
        ("high", {"bona_fide", "print", "print_cut", "replay_tablet"}, 4),
    ],
)
def test_protocols(root, protocol, species, per_person):
    records = list(samples(root, protocol, SplitParams()))
    assert {r.row["species"] for r in records} == species
    assert len(records) == 9 * per_person
    high = [r for r in records if r.file.stem.startswith("HR_")]
    assert {r.row["camera"] for r in high} == {"high"}


def test_a_strange_folder_is_refused(root):
    (root / "test_release" / "spare").mkdir()
    with pytest.raises(SourceError, match="spare: expected folders named by number"):
        list(samples(root, "", SplitParams()))

import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.siw_mv2 import KINDS, samples
from tests.sources.miniature import write_text

STEMS = {"Paper": "Paper", "Replay": "Replay", "Mannequin": "Mask_Mann", "Makeup_Cosmetic": "Makeup_Co"}
SPLIT = SplitParams(val=0.2, test=0.2)


@pytest.fixture
def root(tmp_path):
    lists = {"trainlist_live": [], "testlist_live": [], "trainlist_all": [], "testlist_all": []}
    for number in range(10):
        write_text(tmp_path / f"Live/Live_{number}.mov", "")
        lists["trainlist_live" if number < 8 else "testlist_live"].append(f"Live_{number}")
        for kind, stem in STEMS.items():
            write_text(tmp_path / f"Spoof/{kind}/{stem}_{number}.mov", "")
            lists["trainlist_all" if number < 8 else "testlist_all"].append(f"{stem}_{number}")
    lists["trainlist_all"] += lists["trainlist_all"][:4]  # repeated for balancing
    for name, stems in lists.items():
        write_text(tmp_path / f"PROTOCOL/{name}.txt", "\n".join(stems) + "\n")
    return tmp_path


def test_the_published_lists_are_followed_and_repetitions_read_once(root):
    records = list(samples(root, "", SPLIT))
    assert len(records) == 50
    assert sum(r.row["split"] == "test" for r in records) == 10
    assert {r.row["split"] for r in records} == {"train", "val", "test"}
    species = {r.row["species_native"]: r.row["species"] for r in records}
    assert species == {
        "Live": "bona_fide", "Paper": "print", "Replay": "replay_other", "Mannequin": "mask_rigid",
        "Makeup_Cosmetic": "makeup",
    }  # fmt: skip


def test_an_unseen_kind_is_tested_alone(root):
    records = list(samples(root, "unseen_Mannequin", SPLIT))
    kinds = {
        split: {r.row["species_native"] for r in records if r.row["split"] == split}
        for split in ("train", "test")
    }
    assert kinds["test"] == {"Live", "Mannequin"}
    assert kinds["train"] == {"Live", "Paper", "Replay", "Makeup_Cosmetic"}
    with pytest.raises(SourceError, match="Spoof/Silicone: no video found"):
        list(samples(root, "unseen_Silicone", SPLIT))
    assert len(KINDS) == 15


def test_unknown_folders_missing_videos_and_shared_lists_are_refused(root):
    (root / "Live/Live_3.mov").unlink()
    with pytest.raises(SourceError, match=r"1 of 8 videos are not there \(for instance Live_3\)"):
        list(samples(root, "", SPLIT))
    write_text(root / "Live/Live_3.mov", "")
    write_text(root / "PROTOCOL/testlist_live.txt", "Live_3\n")
    with pytest.raises(SourceError, match="Live_3 are in the lists of train and test"):
        list(samples(root, "", SPLIT))
    write_text(root / "Spoof/Hologram/Holo_1.mov", "")
    with pytest.raises(SourceError, match="in no folder that is known"):
        list(samples(root, "", SPLIT))

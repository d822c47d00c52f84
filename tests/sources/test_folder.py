import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.contracts import Split
from facegate.datasets.pack import open_pack
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.folder import people, presentations
from facegate.sources.packing import pack_records
from facegate.sources.reading import LARGEST_SIDE
from tests.sources.miniature import write_video

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
SPLIT = SplitParams(val=0.1, test=0.2, seed=11)


@pytest.fixture
def four_photographs(tmp_path):
    for name, files in {
        "Ada": ["astronaut.png"],
        "Ben": ["biden.jpg"],
        "Cem": ["obama.jpg", "obama2.jpg"],
    }.items():
        for file in files:
            (tmp_path / "people" / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(PHOTOS / file, tmp_path / "people" / name / file)
    return tmp_path / "people"


def picture(path, shape=(8, 6, 3), value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(shape, value, np.uint8))
    return path


def test_four_photographs_become_a_pack_of_three_people(four_photographs, tmp_path):
    (four_photographs / ".cache").mkdir()
    (four_photographs / "Ada" / "notes.txt").write_text("not a picture")
    (four_photographs / "Ada" / "._astronaut.png").write_text("left by another system")
    records = people(four_photographs, SPLIT)
    found = pack_records(records, tmp_path / "pack", tmp_path / "cache", workers=1)
    assert (found["samples"], found["unreadable"]) == (4, 0)
    pack = open_pack(tmp_path / "pack", verify=True)
    assert list(pack.column("sample_id")) == [
        "Ada/astronaut.png",
        "Ben/biden.jpg",
        "Cem/obama.jpg",
        "Cem/obama2.jpg",
    ]
    assert set(pack.column("split")) == set(Split)
    assert len(set(pack.column("split")[2:])) == 1
    assert pack.table.column("image")[0].as_py() == (PHOTOS / "astronaut.png").read_bytes()
    shapes = [pack.image(i).shape for i in range(4)]
    assert shapes == list(zip(pack.column("height"), pack.column("width"), [3] * 4, strict=True))
    assert max(shapes[1]) == LARGEST_SIDE, "a large photograph is shrunk"
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_unreadable_pictures_are_counted_and_listed(four_photographs, tmp_path):
    broken = four_photographs / "Ada" / "broken.jpg"
    broken.write_bytes((PHOTOS / "obama.jpg").read_bytes()[:5000])
    (four_photographs / "Cem" / "text.png").write_text("no picture at all")
    found = pack_records(people(four_photographs, SPLIT), tmp_path / "pack", tmp_path / "cache", workers=1)
    assert (found["samples"], found["unreadable"]) == (4, 2)
    assert set(found["problems"]) == {"Ada/broken.jpg (broken.jpg)", "Cem/text.png (text.png)"}
    assert len(open_pack(tmp_path / "pack")) == 4
    assert open_pack(tmp_path / "pack").metadata == found


def test_pictures_that_decoders_disagree_about_are_packed_anew(tmp_path):
    root = tmp_path / "people"
    for name in "abc":
        picture(root / name / "plain.png")
    see_through = np.zeros((4, 4, 4), np.uint8)
    cv2.imwrite(str(root / "a" / "see_through.png"), see_through)
    cv2.imwrite(str(root / "a" / "sixteen.png"), np.full((4, 4, 3), 51400, np.uint16))
    pack_records(people(root, SPLIT), tmp_path / "pack", tmp_path / "cache", workers=1)
    pack = open_pack(tmp_path / "pack")
    by_name = {Path(name).name: i for i, name in enumerate(pack.column("sample_id")) if name.startswith("a/")}
    assert (pack.image(by_name["see_through.png"]) == 255).all(), "transparent pixels are laid over white"
    assert (pack.image(by_name["sixteen.png"]) == 200).all()
    assert (pack.image(by_name["plain.png"]) == 100).all()


def test_presentations_keep_a_subject_in_one_split(tmp_path):
    root = tmp_path / "presentations"
    for subject in range(12):
        for kind in ("live", "spoof/print", "spoof/replay_phone"):
            picture(root / kind / f"s{subject}" / "deep" / "0.png", value=subject)
    records = presentations(root, SPLIT)
    assert len(records) == 36
    assert {r.row["species"] for r in records} == {"bona_fide", "print", "replay_phone"}
    splits = {(r.row["subject_id"], r.row["split"]) for r in records}
    assert len(splits) == 12
    assert {split for _, split in splits} == set(Split)


def test_videos_of_presentations_become_clips(tmp_path):
    for subject in range(3):
        write_video(tmp_path / f"p/live/s{subject}/a.mp4", frames=12, fps=6, seed=subject)
        picture(tmp_path / f"p/spoof/print/s{subject}/0.png")
    records = presentations(tmp_path / "p", SPLIT, rate=1)
    pack_records(records, tmp_path / "pack", tmp_path / "cache", workers=1)
    rows = open_pack(tmp_path / "pack").rows()
    assert sum(row["clip_id"] is not None for row in rows) == 6
    assert {row["frame"] for row in rows if row["clip_id"]} == {0, 6}
    assert sum(row["species"] == "print" for row in rows) == 3


def test_a_misnamed_species_is_told_with_the_nearest_one(tmp_path):
    picture(tmp_path / "live" / "s1" / "0.png")
    picture(tmp_path / "spoof" / "replay_fone" / "s1" / "0.png")
    with pytest.raises(SourceError, match="`replay_fone` is no attack species; did you mean `replay_phone`"):
        presentations(tmp_path, SPLIT)


def test_a_folder_that_cannot_serve_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere: no such folder\n.*data\.folder\.people"):
        people(tmp_path / "nowhere", SPLIT)
    picture(tmp_path / "loose.png")
    with pytest.raises(SourceError, match="no picture found"):
        people(tmp_path, SPLIT)
    picture(tmp_path / "a" / "0.png")
    picture(tmp_path / "b" / "0.png")
    with pytest.raises(SourceError, match="2 people are too few"):
        people(tmp_path, SPLIT)
    with pytest.raises(SourceError, match="live: no such folder"):
        presentations(tmp_path, SPLIT)

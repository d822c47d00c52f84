import json

import pytest

from facegate.contracts import AttackSpecies
from facegate.datasets.pack import open_pack
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.celeba_spoof import KINDS, samples
from facegate.sources.packing import pack_records
from tests.sources.miniature import write_image, write_text

SPLIT = SplitParams(val=0.2, test=0.2)


def label(kind, light=1, place=1):
    spoof = int(kind > 0)
    return [1] * 40 + [kind, light * spoof, place * spoof, spoof]


@pytest.fixture
def root(tmp_path):
    """Eight subjects to train on, three to test on; every kind of attack; the defects of the public download."""
    labels = {"train": {}, "test": {}}
    for number, subject in enumerate([*range(1, 9), *range(9001, 9004)]):
        part = "train" if subject < 9000 else "test"
        for kind in (0, 1 + number % 10):
            key = (
                f"Data/{part}/{subject}/{'spoof' if kind else 'live'}/{number:06d}.{'png' if kind else 'jpg'}"
            )
            labels[part][key] = label(kind)
            file = write_image(tmp_path / key, number * 2 + bool(kind), 448, 336)
            write_text(file.with_name(f"{file.stem}_BB.txt"), "56 28 112 140 0.99\n")
    write_image(tmp_path / "Data/train_2/77/live/000000.jpg")
    for part, content in labels.items():
        write_text(tmp_path / f"metas/intra_test/{part}_label.json", json.dumps(content))
    return tmp_path


def edit(root, change, part="train"):
    file = root / f"metas/intra_test/{part}_label.json"
    labels = json.loads(file.read_text())
    change(labels)
    file.write_text(json.dumps(labels))


def packed(root, tmp_path):
    metadata = pack_records(
        list(samples(root, "intra", SPLIT)), tmp_path / "pack", tmp_path / "cache", workers=1
    )
    return open_pack(tmp_path / "pack"), metadata


def test_listed_pictures_are_read_and_left_over_folders_are_not(root, tmp_path):
    pack, metadata = packed(root, tmp_path / "out")
    assert (len(pack), metadata["unreadable"]) == (22, 0)
    assert not any("train_2" in name for name in pack.column("sample_id"))
    by_part = {(r["split"], r["subject_id"]) for r in pack.rows()}
    assert len(by_part) == 11
    assert {s for split, s in by_part if split == "test"} == {"9001", "9002", "9003"}
    assert {split for split, _ in by_part} == {"train", "val", "test"}


def test_boxes_in_the_224_frame_are_brought_to_the_picture(root, tmp_path):
    pack, _ = packed(root, tmp_path / "out")
    # The picture is 448 × 336: twice the frame across, 1.5 times down.
    assert pack.row(0)["face_box"] == [112, 42, 224, 210]


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("", None),
        ("-10 -20 60 120 0.9\n", [0, 0, 100, 150]),
        ("10 10 0 0 0.9\n", None),
        ("300 10 20 20 0.9\n", None),
        ("a b c d\n", None),
        ("1 2 3\n", None),
    ],
)
def test_empty_negative_and_flat_boxes(root, tmp_path, text, box):
    (root / "Data/train/1/live/000000_BB.txt").write_text(text)
    pack, metadata = packed(root, tmp_path / "out")
    assert metadata["unreadable"] == 0, "the picture itself is fine"
    assert pack.row(0)["face_box"] == box


def test_every_kind_has_its_species_and_keeps_its_own_name(root):
    edit(root, lambda labels: [labels.update({k: label(i)}) for i, k in enumerate(
        [key for key in labels if "spoof" in key], start=3)])  # fmt: skip
    found = {
        (r.row["species_native"], r.row["species"]) for r in samples(root, "intra", SPLIT) if not r.problem
    }
    assert {("3d mask", "mask_rigid"), ("pc", "replay_monitor"), ("live", "bona_fide")} <= found
    assert {species for _, species in KINDS} >= {AttackSpecies.PAPER_MASK, AttackSpecies.PARTIAL}


def test_live_pictures_carry_face_attributes_and_attacks_their_light(root):
    live, spoof = list(samples(root, "intra", SPLIT))[:2]
    found = json.loads(live.row["attributes"])
    assert (found.pop("environment"), set(found.values()), len(found)) == ("live", {True}, 40)
    assert (live.row["sex"], live.row["glasses"]) == ("male", True)
    assert "sex" not in spoof.row, "an attack's face attributes are not annotated"
    assert (spoof.row["illumination"], json.loads(spoof.row["attributes"])) == (
        "normal",
        {"environment": "indoor"},
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (label(0)[:43], "label of 43 values, expected 44"),
        (None, "label of no values"),
        ([*label(0)[:40], 11, 0, 0, 0], "unknown values"),
        ([*label(0)[:40], 0, 0, 0, 1], "contradicts itself"),
        (label(3), "contradicts itself or its folder"),
    ],
)
def test_a_bad_label_is_counted_and_listed_with_its_file(root, tmp_path, values, message):
    edit(root, lambda labels: labels.update({"Data/train/1/live/000000.jpg": values}))
    pack, metadata = packed(root, tmp_path / "out")
    assert (len(pack), metadata["unreadable"]) == (21, 1)
    ((name, reason),) = metadata["problems"].items()
    assert name.startswith("Data/train/1/live/000000.jpg")
    assert message in reason


def test_a_listed_picture_that_is_not_there_is_counted(root, tmp_path):
    (root / "Data/train/1/live/000000.jpg").unlink()
    _, metadata = packed(root, tmp_path / "out")
    assert list(metadata["problems"].values()) == ["cannot be read: No such file or directory"]


def test_a_subject_in_both_files_or_a_strange_key_is_refused(root):
    edit(root, lambda labels: labels.update({"Data/train/9001/live/1.jpg": label(0)}))
    with pytest.raises(SourceError, match=r"subjects 9001 … are in both"):
        list(samples(root, "intra", SPLIT))
    edit(root, lambda labels: labels.update({"../../etc/passwd": label(0)}))
    with pytest.raises(SourceError, match="expected Data/<part>/<subject>"):
        list(samples(root, "intra", SPLIT))

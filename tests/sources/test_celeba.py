import json

import pytest

from facegate.contracts import Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.celeba import samples
from tests.sources.miniature import write_image, write_text

SPLIT = SplitParams()


@pytest.fixture
def root(tmp_path):
    """Twelve pictures of six people, two of them to a person; the layout of the publisher's archives."""
    names = [f"{i:06d}.jpg" for i in range(1, 13)]
    for i, name in enumerate(names):
        write_image(tmp_path / "Img" / "img_align_celeba" / name, i, 178, 218)
        write_image(tmp_path / "Img" / "img_celeba" / name, i, 300, 400)
    people = [i // 2 + 1 for i in range(12)]
    parts = [0] * 8 + [1] * 2 + [2] * 2
    rows = list(zip(names, people, parts, strict=True))
    write_text(tmp_path / "Anno/identity_CelebA.txt", "".join(f"{n} {p}\n" for n, p, _ in rows))
    write_text(tmp_path / "Eval/list_eval_partition.txt", "".join(f"{n} {s}\n" for n, _, s in rows))
    attributes = "".join(f"{n}  1 -1   {1 if p % 2 else -1}\n" for n, p, _ in rows)
    write_text(tmp_path / "Anno/list_attr_celeba.txt", f"12\nSmiling Eyeglasses Male\n{attributes}")
    columns = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
    marks = "".join(f"{n}  69 109  106  113   77 142   73  152  108  154\n" for n, _, _ in rows)
    for kind in ("list_landmarks_align_celeba", "list_landmarks_celeba"):
        write_text(tmp_path / f"Anno/{kind}.txt", f"12\n{columns}\n{marks}")
    boxes = "".join(f"{n} 95 71 {0 if n == names[3] else 226} {0 if n == names[3] else 313}\n" for n in names)
    write_text(tmp_path / "Anno/list_bbox_celeba.txt", f"12\nimage_id x_1 y_1 width height\n{boxes}")
    return tmp_path


def test_identity_split_attributes_and_landmarks_are_joined(root):
    records = list(samples(root, "", SPLIT))
    assert [r.row["split"] for r in records] == ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    first = records[0]
    assert (first.file, first.row["subject_id"]) == (root / "Img/img_align_celeba/000001.jpg", "1")
    assert first.row["landmarks"] == [69, 109, 106, 113, 77, 142, 73, 152, 108, 154]
    assert (first.row["sex"], first.row["glasses"], records[2].row["sex"]) == ("male", False, "female")
    assert json.loads(first.row["attributes"]) == {"Smiling": True, "Eyeglasses": False, "Male": True}
    assert first.row["face_box"] is None, "boxes belong to the pictures in the wild"


def test_pictures_in_the_wild_come_with_boxes(root):
    records = list(samples(root, "wild", SPLIT))
    assert records[0].file == root / "Img/img_celeba/000001.jpg"
    assert records[0].row["face_box"] == [95, 71, 226, 313]
    assert records[3].row["face_box"] == [95, 71, 0, 0], (
        "the zero box of the published file; dropped on reading"
    )


def test_the_flat_layout_of_torchvision_is_read(root):
    for file in [*root.glob("Anno/*"), *root.glob("Eval/*"), *root.glob("Img/*")]:
        file.rename(root / file.name)
    assert len(list(samples(root, "aligned", SPLIT))) == 12


def test_an_official_split_that_shares_identities_is_refused_and_can_be_replaced(root):
    file = root / "Eval/list_eval_partition.txt"
    file.write_text(file.read_text().replace("000008.jpg 0", "000008.jpg 2"))
    with pytest.raises(SourceError, match=r"1 identities are in more than one split .*4"):
        list(samples(root, "aligned", SPLIT))
    records = list(samples(root, "aligned_resplit", SPLIT))
    assert len({(r.row["subject_id"], r.row["split"]) for r in records}) == 6
    assert {r.row["split"] for r in records} == set(Split)


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("Anno/list_attr_celeba.txt", lambda t: t.replace("12\n", "13\n", 1), "count says 13, and 12 rows"),
        ("Anno/list_attr_celeba.txt", lambda t: t.partition("\n")[2], "line with the count"),
        (
            "Anno/list_attr_celeba.txt",
            lambda t: t.replace("000002.jpg  1", "000002.jpg"),
            "000002.jpg has 2 values",
        ),
        ("Anno/identity_CelebA.txt", lambda t: "12\n" + t, "line 1: 1 values, expected 2"),
        ("Eval/list_eval_partition.txt", lambda t: t.replace("jpg 2", "jpg 3"), "line 11: partition 3"),
        (
            "Anno/list_landmarks_align_celeba.txt",
            lambda t: t.replace("000002", "000099"),
            "000002.jpg is in identity",
        ),
    ],
)
def test_a_malformed_list_is_named_with_its_line(root, name, spoil, message):
    (root / name).write_text(spoil((root / name).read_text()))
    with pytest.raises(SourceError, match=message):
        list(samples(root, "aligned", SPLIT))


def test_what_is_missing_is_named_with_who_gives_access(root):
    (root / "Anno/identity_CelebA.txt").unlink()
    with pytest.raises(
        SourceError, match=r"Anno/identity_CelebA\.txt is missing\n.*access to CelebA: release"
    ):
        list(samples(root, "aligned", SPLIT))
    with pytest.raises(SourceError, match="no protocol `algined`"):
        list(samples(root, "algined", SPLIT))

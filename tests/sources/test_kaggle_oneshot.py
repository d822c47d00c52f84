import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.kaggle_oneshot import samples
from tests.sources.miniature import write_image


@pytest.fixture
def root(tmp_path):
    for person in range(6):
        for number in range(2):
            write_image(tmp_path / f"Face Data/Face Dataset/{person}/{number}.jpg", person)
            write_image(tmp_path / f"Extracted Faces/Extracted Faces/{person}/{number}.jpg", person, 128, 128)
    return tmp_path


@pytest.mark.parametrize(
    ("protocol", "tree"), [("", "Face Data"), ("pictures", "Face Data"), ("faces", "Extracted Faces")]
)
def test_one_tree_is_read_and_never_both(root, protocol, tree):
    records = list(samples(root, protocol, SplitParams()))
    assert len(records) == 12
    assert {r.file.relative_to(root).parts[0] for r in records} == {tree}
    assert len({(r.row["subject_id"], r.row["split"]) for r in records}) == 6


def test_merged_trees_and_missing_ones_are_told(root):
    (root / "Face Data/Face Dataset/Extracted Faces").mkdir()
    with pytest.raises(SourceError, match="are two trees merged"):
        list(samples(root, "pictures", SplitParams()))
    with pytest.raises(SourceError, match="Face Data/Face Dataset is missing"):
        list(samples(root / "Extracted Faces", "pictures", SplitParams()))

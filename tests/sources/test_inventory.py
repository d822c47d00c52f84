import pytest

from facegate.errors import SourceError
from facegate.sources.catalogue import CATALOGUE
from facegate.sources.inventory import NEEDS, check_folder, incomplete
from tests.sources.miniature import write_text


def lay_out(root, name, protocol, place=0):
    """Every needed file or folder, empty, under its n-th name."""
    for need in NEEDS[name]:
        if not need.protocols or f"{protocol}$".startswith(need.protocols):
            path = root / need.places[min(place, len(need.places) - 1)]
            if path.suffix and "." in path.name:
                write_text(path, "")
            else:
                path.mkdir(parents=True, exist_ok=True)


def test_every_set_of_the_catalogue_has_a_list():
    assert set(NEEDS) == set(CATALOGUE)


@pytest.mark.parametrize("name", sorted(NEEDS))
@pytest.mark.parametrize("place", [0, 1])
def test_a_whole_folder_passes_for_every_protocol(tmp_path, name, place):
    for number, protocol in enumerate(CATALOGUE[name].protocols):
        root = tmp_path / str(number)
        lay_out(root, name, protocol, place)
        check_folder(name, root, protocol)


def test_everything_that_is_missing_is_named_with_its_place_and_who_gives_access(tmp_path):
    write_text(tmp_path / "Anno/identity_CelebA.txt", "")
    with pytest.raises(SourceError) as caught:
        check_folder("celeba", tmp_path, "aligned")
    lines = caught.value.problem.splitlines()
    assert len(lines) == 5
    assert lines[1] == "  - Anno/list_attr_celeba.txt (or Eval/list_attr_celeba.txt, list_attr_celeba.txt)"
    assert lines[-1].endswith(", from img_align_celeba.zip")
    assert "docs/datasets/celeba.md" in caught.value.remedy
    assert "release agreement" in caught.value.remedy


def test_an_archive_that_is_not_unpacked_is_told(tmp_path):
    lay_out(tmp_path, "celeba", "aligned")
    (tmp_path / "Img/img_align_celeba").rmdir()
    write_text(tmp_path / "Img/img_align_celeba.zip", "")
    with pytest.raises(SourceError, match=r"img_align_celeba\.zip is there, unpack it into .*/Img"):
        check_folder("celeba", tmp_path, "aligned")


def test_a_resplit_needs_no_official_partition(tmp_path):
    lay_out(tmp_path, "celeba", "aligned")
    (tmp_path / "Anno/list_eval_partition.txt").unlink()
    check_folder("celeba", tmp_path, "aligned_resplit")
    with pytest.raises(SourceError, match="list_eval_partition"):
        check_folder("celeba", tmp_path, "aligned")


def test_a_folder_of_another_size_is_noted(tmp_path):
    lay_out(tmp_path, "celeba", "aligned")
    write_text(tmp_path / "Img/img_align_celeba/000001.jpg", "")
    assert incomplete("celeba", tmp_path, "aligned") == [
        f"{tmp_path}/Img/img_align_celeba: 1 files, 202,599 were published"
    ]

"""Files and folders that are there whole or not at all."""

from pathlib import Path

import pytest

from facegate.whole import whole_file, whole_folder, write_whole


def test_a_file_is_written_with_its_parents_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_whole(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write_whole(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_draft(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(error), whole_file(path) as draft:
        draft.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_of_a_killed_run_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.partial").write_text("left")
    with whole_file(tmp_path / "a.txt") as draft:
        assert not draft.exists()
        draft.write_text("new")
    (tmp_path / ".b.partial").mkdir()
    (tmp_path / ".b.partial" / "left").touch()
    with whole_folder(tmp_path / "b") as draft:
        assert not list(draft.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b"]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    for name in ("first", "second"):
        with whole_folder(out) as draft:
            assert draft.parent == out.parent
            (draft / name).touch()
    assert list(out.parent.rglob("*")) == [out, out / "second"]


def test_an_error_leaves_the_old_folder_and_no_draft(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with whole_folder(out) as draft:
        (draft / "old").touch()
    with pytest.raises(ValueError, match="half"), whole_folder(out) as draft:
        (draft / "new").touch()
        raise ValueError("half")
    assert list(tmp_path.rglob("*")) == [out, out / "old"]

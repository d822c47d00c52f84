import hashlib

import pytest

from facegate.errors import SourceError
from facegate.sources import pins
from facegate.sources.celeba import PINS
from facegate.sources.pins import check_pins, demand_pins, md5_of


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory" / "md5.json"


def test_an_edited_list_fails_its_published_md5_and_its_place_is_told(tmp_path, memory):
    (tmp_path / "Anno").mkdir()
    (tmp_path / "Anno" / "list_attr_celeba.txt").write_text("edited")
    found = check_pins(tmp_path, PINS, memory)
    edited = hashlib.md5(b"edited").hexdigest()
    assert found == {"Anno/list_attr_celeba.txt": [edited, PINS["list_attr_celeba.txt"]]}
    with pytest.raises(SourceError, match=r"Anno/list_attr_celeba\.txt: wrong MD5 .*published: 75e246fa"):
        demand_pins(tmp_path, found)
    demand_pins(tmp_path, {"a": [edited, edited]})


def test_a_sum_is_remembered_until_the_file_changes(tmp_path, memory, monkeypatch):
    file = tmp_path / "archive.zip"
    file.write_bytes(b"one")
    first = md5_of(file, memory)
    opened = []
    monkeypatch.setattr(pins, "tqdm", lambda **options: opened.append(1) or _Bar())
    assert md5_of(file, memory) == first == hashlib.md5(b"one").hexdigest()
    assert not opened
    file.write_bytes(b"other")
    assert md5_of(file, memory) == hashlib.md5(b"other").hexdigest()
    assert opened


class _Bar:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def update(self, size):
        pass


def test_a_spoilt_memory_is_no_error(tmp_path, memory):
    memory.parent.mkdir()
    memory.write_text("no json")
    (tmp_path / "a").write_bytes(b"a")
    assert md5_of(tmp_path / "a", memory) == hashlib.md5(b"a").hexdigest()

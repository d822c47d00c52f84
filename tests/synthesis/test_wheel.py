import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facegate.errors import SourceError
from facegate.synthesis.wheel import Wheel, parse_obj, parse_target

OBJ = """# a square and a triangle
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0.5
vt 0 0
vt 1 0.25
g body
f 1/1 2/2 3/1 4/2
g helper-l-eye
f 1/1 2/2 3/1
"""


def test_obj_keeps_groups_and_counts_from_zero():
    mesh = parse_obj(OBJ)
    assert mesh.vertices.shape == (4, 3)
    assert mesh.vertices[3, 2] == 0.5
    assert mesh.uv[1].tolist() == [1, 0.25]
    assert mesh.faces == [[0, 1, 2, 3], [0, 1, 2]]
    assert mesh.face_uv == [[0, 1, 0, 1], [0, 1, 0]]
    assert mesh.groups == ["body", "helper-l-eye"]


def test_target_moves_only_what_it_names():
    moved = parse_target(b"# comment\n\n2 .1 -.5 1e-3\n", 4)
    assert moved.shape == (4, 3)
    np.testing.assert_allclose(moved[2], [0.1, -0.5, 0.001], rtol=1e-6)
    assert np.count_nonzero(moved[[0, 1, 3]]) == 0


@pytest.mark.parametrize("text", [b"0 1 2\n", b"0 1 2 x\n", b"9 1 2 3\n"])
def test_target_refuses_what_does_not_fit(text: bytes):
    with pytest.raises((ValueError, IndexError)):
        parse_target(text, 4)


def test_members_are_unpacked_and_listed_in_order(tmp_path: Path):
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("t/b.target.gz", gzip.compress(b"0 1 2 3"))
        file.writestr("t/a.target", "0 1 2 3")
        file.writestr("t/deeper/c.target", "")
        file.writestr("t/readme.txt", "")
        file.writestr("t/bad.target", "nonsense")
    with Wheel(path) as wheel:
        assert [name for name, _ in wheel.names("t")] == ["a", "b", "bad"]
        assert wheel.read("t/b.target.gz") == wheel.read("t/a.target")
        with pytest.raises(SourceError, match=r"bad\.target is no shape target"):
            wheel.target("t/bad.target", 3)
        with pytest.raises(SourceError, match="nowhere is missing"):
            wheel.read("nowhere")
        with pytest.raises(SourceError, match=r"readme\.txt is no picture"):
            wheel.mask("t/readme.txt")


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path):
    (tmp_path / "x.whl").write_bytes(b"not a zip")
    for name in ("x.whl", "missing.whl"):
        with pytest.raises(SourceError, match=name):
            Wheel(tmp_path / name)

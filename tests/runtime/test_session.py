import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from facegate.contracts import Quantisation, Task
from facegate.errors import BundleError
from facegate.runtime.bundle import write_bundle
from facegate.runtime.session import Session, to_tensor
from tests.runtime.tiny import make_contract, make_model, pictures, reference

SPEC = make_contract().input


@pytest.mark.parametrize("task", [Task.RECOGNITION, Task.SPOOF])
@pytest.mark.parametrize("n", [0, 1, 5, 64, 131])
def test_answers_are_those_of_an_independent_computation(make_bundle, task, n):
    images = pictures(n, seed=4)
    answers = Session(make_bundle(task)).run(images)
    assert answers.dtype == np.float32
    assert np.allclose(answers, reference(images, task), atol=1e-5)


@pytest.mark.parametrize("in_graph", [True, False])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("batch", ["batch", 1])
def test_every_way_of_taking_a_picture_gives_one_answer(tmp_path, in_graph, layout, batch):
    spec = SPEC.model_copy(update={"in_graph": in_graph, "layout": layout, "dtype": "float32"})
    model = make_model(layout=layout, in_graph=in_graph, dtype=TensorProto.FLOAT, batch=batch)
    golden = pictures(3)
    bundle = write_bundle(tmp_path / "b", model, make_contract(input=spec), golden, reference(golden))
    images = pictures(70, seed=9)
    assert np.allclose(Session(bundle, check_golden=True).run(images), reference(images), atol=1e-5)


def test_bgr_models_get_bgr(tmp_path):
    spec = SPEC.model_copy(update={"colour": "BGR"})
    golden = pictures(3)
    bundle = write_bundle(
        tmp_path / "b", make_model(), make_contract(input=spec), golden, reference(golden[..., ::-1])
    )
    assert np.allclose(
        Session(bundle, check_golden=True).run(golden), reference(golden[..., ::-1]), atol=1e-5
    )


def test_a_colour_order_swapped_before_writing_is_caught_by_the_golden_vectors(tmp_path):
    spec = SPEC.model_copy(update={"colour": "BGR"})
    golden = pictures(3)
    bundle = write_bundle(tmp_path / "b", make_model(), make_contract(input=spec), golden, reference(golden))
    with pytest.raises(BundleError, match="golden vectors differ"):
        Session(bundle, check_golden=True)


def test_golden_vectors_hold_and_say_how_well(make_bundle):
    assert Session(make_bundle()).check_golden() < 1e-5


def test_quantised_models_are_given_more_room(tmp_path):
    golden = pictures(3)
    near = reference(golden) + np.float32(0.02)
    for target, fits in (("x86-vnni", True), ("fp32", False)):
        contract = make_contract(quantisation=Quantisation.model_validate({"target": target}))
        bundle = write_bundle(tmp_path / target, make_model(), contract, golden, near)
        if fits:
            assert Session(bundle).check_golden() == pytest.approx(0.02, abs=1e-4)
        else:
            with pytest.raises(BundleError, match=r"differ by 0\.02, allowed are 0\.001"):
                Session(bundle, check_golden=True)


def test_an_unknown_runtime_is_refused(make_bundle):
    with pytest.raises(ValueError, match="there is onnxruntime"):
        Session(make_bundle(), runtime="tensorrt")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 16, 16, 3), np.float32),
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((1, 17, 16, 3), np.uint8),
        np.zeros((1, 3, 16, 16), np.uint8),
    ],
)
def test_other_arrays_are_refused(make_bundle, images):
    with pytest.raises(ValueError, match="images must be uint8"):
        Session(make_bundle()).run(images)


def test_pictures_that_are_views_are_read_right(make_bundle):
    wide = pictures(4, 32)
    view = wide[:, ::2, ::-2]
    assert np.allclose(Session(make_bundle()).run(view), reference(np.ascontiguousarray(view)), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["RGB", "BGR"]),
    st.sampled_from(["NHWC", "NCHW"]),
    st.tuples(*[st.floats(0, 255)] * 3),
    st.tuples(*[st.floats(0.001, 1)] * 3),
)
def test_to_tensor_is_the_formula(colour, layout, mean, scale):
    spec = SPEC.model_copy(
        update={
            "colour": colour,
            "layout": layout,
            "in_graph": False,
            "dtype": "float32",
            "mean": mean,
            "scale": scale,
        }
    )
    images = pictures(2, 5)
    tensor = to_tensor(images, spec)
    assert tensor.dtype == np.float32 and tensor.flags.c_contiguous
    if layout == "NCHW":
        tensor = tensor.transpose(0, 2, 3, 1)
    for channel in range(3):
        seen = images[..., channel if colour == "RGB" else 2 - channel].astype(float)
        assert np.allclose(tensor[..., channel], (seen - mean[channel]) * scale[channel], atol=1e-3)


def test_a_model_that_takes_pictures_as_they_are_gets_them_uncopied():
    images = pictures(2)
    assert np.shares_memory(to_tensor(images, SPEC), images)

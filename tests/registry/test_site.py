"""A recogniser's embeddings, centred and whitened for a site."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from facegate.errors import RegistryError
from facegate.registry.adapt import site_faces
from facegate.registry.site import append_shift, compare_shifts, disturbed, fit_shift, kinds, separation

WIDTH = 16


def unit(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float32)


def site(offset: float, count: int = 300, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of strangers and of their copies, all moved by an offset and stretched along some axes."""
    rng = np.random.default_rng(3)
    axes = np.linspace(1, stretch, WIDTH)
    people = rng.normal(0, 1, (count, WIDTH))
    common = offset * np.eye(WIDTH)[0]
    return unit(people * axes + common), unit((people + rng.normal(0, 0.3, people.shape)) * axes + common)


def test_whitened_embeddings_have_no_common_part_and_no_favourite_axis():
    faces, _ = site(offset=4.0, stretch=5.0)
    shift = fit_shift(faces, 1e-6)
    moved = (faces - shift.mean) @ shift.matrix.T
    np.testing.assert_allclose(moved.mean(0), 0, atol=1e-4)
    covariance = np.cov(moved.T)
    np.testing.assert_allclose(covariance / covariance[0, 0], np.eye(WIDTH), atol=0.01)


def test_centring_alone_leaves_the_axes_as_they_are():
    faces, _ = site(offset=4.0)
    shift = fit_shift(faces, None)
    np.testing.assert_array_equal(shift.matrix, np.eye(WIDTH))
    np.testing.assert_allclose(shift(faces), unit(faces - faces.mean(0)), atol=1e-6)


def test_separation_is_that_of_a_hand_made_pair():
    """Cosines of the copies 1 and 0.6, of others 0 and 0.8: means 0.8 and 0.4, variances .04 and .16."""
    faces = np.array([[1, 0], [0, 1]], np.float32)
    copies = np.array([[1, 0], [0.8, 0.6]], np.float32)
    assert separation(faces, copies) == pytest.approx(0.4 / np.sqrt(0.1), rel=1e-6)


def test_an_offset_is_found_and_taken_away():
    offset = compare_shifts(*site(offset=4.0))
    assert set(offset) == {"none", *kinds()}
    assert offset["centred"] > 1.3 * offset["none"]
    plain = compare_shifts(*site(offset=0.0))
    assert plain["centred"] == pytest.approx(plain["none"], rel=0.02)


def test_few_faces_bear_little_whitening():
    few = compare_shifts(*site(offset=4.0, count=40, stretch=1.0))
    assert few["whitened 0.9"] > few["whitened 0.3"]


def test_the_shift_becomes_the_last_layer():
    faces, _ = site(offset=2.0, stretch=3.0)
    shift = fit_shift(faces, 0.5)
    moved = np.asarray(
        InferenceSession(append_shift(identity(), shift)).run(["embedding"], {"given": faces})[0]
    )
    np.testing.assert_allclose(moved, shift(faces), atol=1e-5)


def identity() -> bytes:
    """A network that hands its input on, normalised."""
    sides = ["batch", WIDTH]
    graph = helper.make_graph(
        [helper.make_node("LpNormalization", ["given"], ["embedding"], axis=1, p=2)],
        "identity",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, sides)],
        [numpy_helper.from_array(np.zeros(1, np.float32), "unused")],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10
    ).SerializeToString()


def test_a_disturbed_face_is_the_same_for_the_same_chance():
    face = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    one, other, third = (disturbed(face, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == face.shape
    assert (one != third).any()


def test_too_few_faces_are_named_with_the_folder(tmp_path, photos):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "one.jpg").write_bytes((photos / "obama.jpg").read_bytes())
    with pytest.raises(RegistryError, match=r"1 faces in 2 pictures; at least 40"):
        site_faces(tmp_path, 0.6)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RegistryError, match="nowhere: no such folder"):
        site_faces(tmp_path / "nowhere", 0.6)

import pickle
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from multiprocessing import get_context

import cv2
import numpy as np
import onnx
import onnx.shape_inference
import onnx.utils
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces import detect
from facegate.faces.detect import Detector, overlap
from facegate.faces.picture import load_picture

# Landmarks read off the photographs by eye: right eye, left eye, nose, right mouth, left mouth.
EXPECTED = {
    "obama.jpg": [[444, 214], [547, 212], [504, 265], [448, 326], [548, 322]],
    "obama2.jpg": [[250, 368], [362, 380], [283, 448], [250, 527], [349, 527]],
    "biden.jpg": [[531, 323], [649, 347], [597, 409], [517, 461], [627, 478]],
    "astronaut.png": [[203, 101], [247, 103], [225, 126], [204, 140], [244, 141]],
}


@pytest.fixture(scope="module")
def detector():
    return Detector()


@pytest.mark.parametrize("name", EXPECTED)
def test_finds_the_one_face_and_its_landmarks(detector, photos, name):
    (face,) = detector.detect(load_picture(photos / name))
    expected = np.array(EXPECTED[name], float)
    eyes = np.linalg.norm(expected[0] - expected[1])
    assert np.linalg.norm(face.landmarks - expected, axis=1).mean() < 0.12 * eyes
    x, y, width, height = face.box
    assert (face.landmarks > [x, y]).all() and (face.landmarks < [x + width, y + height]).all()
    assert face.score > 0.85


@pytest.mark.parametrize("height", [40, 64, 112, 480, 2000])
def test_finds_faces_that_fill_pictures_of_any_size(detector, photos, height):
    picture = load_picture(photos / "biden.jpg")
    x, y, width, w_height = detector.detect(picture)[0].box.astype(int)
    tight = picture[y : y + w_height, x : x + width]
    sized = cv2.resize(tight, (height * width // w_height, height), interpolation=cv2.INTER_AREA)
    assert len(detector.detect(sized)) == 1


def test_several_faces_come_largest_first(detector, photos):
    left = cv2.resize(load_picture(photos / "astronaut.png"), (300, 300), interpolation=cv2.INTER_AREA)
    right = cv2.resize(load_picture(photos / "obama.jpg"), (500, 600), interpolation=cv2.INTER_AREA)
    scene = np.full((600, 800, 3), 127, np.uint8)
    scene[:300, :300], scene[:, 300:] = left, right
    faces = detector.detect(scene)
    assert [face.box[0] > 300 for face in faces] == [True, False]
    assert faces[0].area > faces[1].area


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (33, 31), (7, 640)])
def test_a_picture_without_a_face_is_an_empty_list(detector, shape):
    assert detector.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_noise_shows_no_face(detector):
    noise = np.random.default_rng(3).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert detector.detect(noise) == []


def test_the_picture_is_not_touched_and_the_result_repeats(detector, photos):
    picture = load_picture(photos / "obama.jpg")
    kept = picture.copy()
    first, second = detector.detect(picture)[0], Detector().detect(picture)[0]
    assert (picture == kept).all()
    assert (first.box == second.box).all() and (first.landmarks == second.landmarks).all()


def small_face(photos, size):
    """A frame of 640 × 480 with one face whose larger side is about `size` pixels."""
    picture = load_picture(photos / "obama.jpg")
    scale = size / Detector().detect(picture)[0].box[2:].max()
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 110, np.uint8)
    frame[150 : 150 + len(small), 200 : 200 + small.shape[1]] = small
    return frame


def searched(detector, picture, monkeypatch):
    """Sizes (height, width) at which the network looks for faces; close looks left out."""
    sizes = []
    resized = detect._resized_and_padded
    monkeypatch.setattr(
        detect, "_resized_and_padded", lambda rgb, size: sizes.append(size[::-1]) or resized(rgb, size)
    )
    monkeypatch.setattr(Detector, "_refine", lambda self, rgb, face: face)
    detector.detect(picture)
    return sizes


@pytest.mark.parametrize(
    ("shape", "given", "size"),
    [
        ((480, 640), {}, (240, 320)),
        ((1080, 1920), {}, (360, 640)),
        ((720, 1280), {"smallest": 88}, (180, 320)),
        ((480, 640), {"smallest": 22}, (480, 640)),
        ((480, 640), {"smallest": 5}, (480, 640)),
        ((144, 144), {}, (144, 144)),
        ((40, 48), {}, (80, 96)),
    ],
)
def test_the_search_is_as_coarse_as_the_smallest_face_allows(shape, given, size, monkeypatch):
    sizes = searched(Detector(**given), np.full((*shape, 3), 90, np.uint8), monkeypatch)
    assert sizes[0] == size


def test_the_smallest_face_of_interest_is_found(photos):
    assert len(Detector().detect(small_face(photos, 48))) == 1
    far = small_face(photos, 25)
    assert len(Detector(smallest=24).detect(far)) == 1


def test_landmarks_hardly_depend_on_the_search_size(photos):
    picture = load_picture(photos / "obama.jpg")
    full, half = (Detector(smallest=smallest).detect(picture)[0] for smallest in (22, 60))
    eyes = np.linalg.norm(full.landmarks[0] - full.landmarks[1])
    assert np.linalg.norm(full.landmarks - half.landmarks, axis=1).mean() < 0.06 * eyes


def _boxes(detector: Detector, picture: np.ndarray) -> list[list[float]]:
    return [face.box.tolist() for face in detector.detect(picture)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_used_detectors_travel_into_other_processes(detector, photos, method):
    picture = load_picture(photos / "astronaut.png")
    here = _boxes(detector, picture)
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        assert pool.submit(_boxes, detector, picture).result() == here


def test_pickling_leaves_the_session_behind(detector, photos):
    detector.detect(load_picture(photos / "astronaut.png"))
    assert len(pickle.dumps(detector)) < 1000


# What cv2.FaceDetectorYN finds with the published BGR model in the middle of astronaut.png.
OPENCV_BOX = [113.758, 30.892, 90.448, 113.541]
OPENCV_LANDMARKS = [
    [136.255, 69.913],
    [183.191, 70.758],
    [156.485, 92.924],
    [134.881, 110.945],
    [175.455, 111.868],
]


def test_one_look_equals_opencvs_own_implementation(detector, photos):
    (face,) = detector._look(load_picture(photos / "astronaut.png")[32:352, 64:384], 1.0)
    assert np.allclose(face.box, OPENCV_BOX, atol=0.01)
    assert np.allclose(face.landmarks, OPENCV_LANDMARKS, atol=0.01)
    assert face.score == pytest.approx(0.929, abs=1e-3)


def found(shapes, cells, confidence, size=(32, 32)):
    """What the end of the detector's graph makes of cells in which a face is found."""
    path = files("facegate.faces") / "assets" / detect.MODEL
    asked = ["squares", "bbox", "kps", "least", "grid", "strides"]
    whole = onnx.shape_inference.infer_shapes(onnx.load(str(path)))
    graph = onnx.utils.Extractor(whole).extract_model(asked, ["rows"])
    grid, strides = detect._grid(*size)
    maps = np.zeros((1, len(grid), 14), np.float32)
    maps[0, cells] = shapes
    squares = np.zeros(len(grid), np.float32)
    squares[cells] = np.square(confidence)
    values = (squares, maps[..., :4], maps[..., 4:], np.array(0.25, np.float32), grid, strides)
    session = ort.InferenceSession(graph.SerializeToString())
    return np.asarray(session.run(None, dict(zip(asked, values, strict=True)))[0])


def test_an_absurdly_large_box_stays_finite():
    shapes = np.zeros((1, 14), np.float32)
    shapes[0, 2] = 200  # exp(200) is beyond 32 bits
    rows = found(shapes, [6], [0.9])
    assert np.isfinite(rows).all()
    assert rows[0, 2] == pytest.approx(8 * np.exp(10), rel=1e-5)


def test_a_row_of_a_single_cell():
    shape = [0.5, 0.5, np.log(2), np.log(3)] + 10 * [0]
    (row,) = found([shape], [6], [0.81])  # second row, third column of 8-pixel cells
    assert row[:4] == pytest.approx([20, 12, 16, 24])
    assert row[4:14] == pytest.approx([16, 8] * 5)
    assert row[14] == pytest.approx(0.81)


def test_of_boxes_that_overlap_the_most_confident_stays():
    shapes = np.zeros((3, 14), np.float32)
    shapes[:, 2:4] = np.log(4)  # 32 pixels wide, 8 pixels apart
    shapes[2, 2:4] = 0  # 8 pixels wide, far enough
    rows = found(shapes, [0, 1, 15], [0.7, 0.9, 0.6])
    assert rows[:, 14] == pytest.approx([0.9, 0.6])


def test_no_cell_is_no_row():
    assert found(np.empty((0, 14)), [], []).shape == (0, 15)


boxes = st.tuples(*(st.floats(-50, 50) for _ in range(2)), *(st.floats(1, 60) for _ in range(2)))


@settings(max_examples=50, deadline=None)
@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(first, second):
    a, b = np.array(first, np.float32), np.array(second, np.float32)
    forth, back = overlap(a, b[None])[0], overlap(b, a[None])[0]
    assert forth == pytest.approx(back, abs=1e-4)
    assert 0 <= forth <= 1 + 1e-5
    assert overlap(a, a[None])[0] == pytest.approx(1, abs=1e-4)

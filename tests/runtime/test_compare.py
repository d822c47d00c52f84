import cv2
import numpy as np
import pytest

from facegate.contracts import Task, TrainingData
from facegate.errors import BundleError, PictureError
from facegate.faces.picture import load_picture
from facegate.runtime.compare import judge_picture, verify_pictures
from facegate.runtime.policy import Verdict


def test_a_picture_is_the_same_person_as_itself(make_bundle, photos):
    path = photos / "astronaut.png"
    result = verify_pictures(make_bundle(), path, path)
    assert result.decision.verdict is Verdict.ACCEPT
    assert result.decision.score == pytest.approx(1, abs=1e-5)
    assert (result.decision.threshold, result.decision.operating_point) == (0.5, "fmr_1e-3")
    assert [face.faces for face in result.faces] == [1, 1]
    assert result.model == "tiny-recognition"


def test_rendered_thresholds_are_warned_of(make_bundle, photos):
    path = photos / "astronaut.png"
    assert any("rendered people only" in w for w in verify_pictures(make_bundle(), path, path).warnings)
    clean = make_bundle(name="clean", synthetic_only=False)
    assert verify_pictures(clean, path, path).warnings == ()


def test_terms_of_the_training_data_are_warned_of(make_bundle, photos):
    data = (TrainingData(name="somebody's faces", licence="research", commercial_use=False, digest="0" * 64),)
    path = photos / "astronaut.png"
    result = judge_picture(make_bundle(Task.SPOOF, training_data=data), path)
    assert any("commercial use" in w and "somebody's faces" in w for w in result.warnings)


def test_a_judgement_carries_its_face(make_bundle, photos):
    result = judge_picture(make_bundle(Task.SPOOF), photos / "obama.jpg")
    assert 0 <= result.decision.score <= 1
    assert result.decision.operating_point == "bpcer_5"
    assert result.face.face.box[2] > 150


def test_several_faces_and_bad_quality_are_told(make_bundle, photos, tmp_path):
    left = load_picture(photos / "astronaut.png")
    blurred = np.asarray(cv2.GaussianBlur(left, (0, 0), 4), np.uint8)
    path = tmp_path / "two.png"
    wide = np.hstack(
        [cv2.resize(left, (400, 400)), np.zeros((400, 50, 3), np.uint8), blurred[50:450, 50:450]]
    )
    cv2.imwrite(str(path), wide[..., ::-1])
    result = judge_picture(make_bundle(Task.SPOOF), path)
    assert result.face.faces == 2
    assert any("2 faces; the largest was taken" in w for w in result.warnings)
    assert any("the face is blurred" in w for w in result.warnings)


def test_a_picture_without_a_face_is_refused(make_bundle, tmp_path):
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((90, 90, 3), 128, np.uint8))
    with pytest.raises(PictureError, match=r"wall\.png: no face was found"):
        judge_picture(make_bundle(Task.SPOOF), path)


def test_an_unknown_operating_point_is_refused_before_any_work(make_bundle, tmp_path):
    with pytest.raises(BundleError, match="no operating point `fmr_1e-9`"):
        verify_pictures(make_bundle(), tmp_path / "none.png", tmp_path / "none.png", "fmr_1e-9")

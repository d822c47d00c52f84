import cv2
import numpy as np
import pytest

from facegate.contracts import Task
from facegate.faces.detect import Detector, Face
from facegate.faces.picture import load_picture
from facegate.runtime.engine import FaceEngine, Match, Reason
from facegate.runtime.models import Recogniser, SpoofJudge
from facegate.runtime.policy import Verdict
from tests.runtime.tiny import make_contract


class OnePerson:
    """A gallery of one template; counts its searches."""

    def __init__(self, template):
        self.template, self.searches = template, 0

    def search(self, embedding):
        self.searches += 1
        return Match("eileen", float(embedding @ self.template)) if self.template is not None else None


def points(task, threshold):
    ((name, point),) = make_contract(task).operating_points.items()
    return {name: point.model_copy(update={"threshold": threshold})}


@pytest.fixture
def engine(make_bundle):
    """Builds an engine whose spoof judge and recogniser decide by the given thresholds."""

    def build(live=0.0, same=0.999, template=None, gallery=True, spoof=True):
        recogniser = Recogniser(make_bundle(operating_points=points(Task.RECOGNITION, same)))
        judge = (
            SpoofJudge(make_bundle(Task.SPOOF, operating_points=points(Task.SPOOF, live))) if spoof else None
        )
        return FaceEngine(recogniser, judge, OnePerson(template) if gallery else None)

    return build


@pytest.fixture(scope="module")
def portrait(photos):
    return load_picture(photos / "astronaut.png")


@pytest.fixture
def template(engine, portrait):
    return engine(gallery=False).look(portrait)[0].embedding


def test_a_known_person_is_accepted(engine, portrait, template):
    (result,) = engine(template=template).look(portrait)
    assert (result.verdict, result.reasons) == (Verdict.ACCEPT, ())
    assert result.match.person == "eileen" and result.match.score == pytest.approx(1)
    assert result.identity.verdict is Verdict.ACCEPT and result.spoof.verdict is Verdict.ACCEPT
    assert result.quality.good


def test_a_stranger_is_rejected(engine, portrait, template):
    (result,) = engine(template=-template).look(portrait)
    assert (result.verdict, result.reasons) == (Verdict.REJECT, (Reason.UNKNOWN,))


def test_nobody_enrolled(engine, portrait):
    (result,) = engine(template=None).look(portrait)
    assert (result.verdict, result.reasons, result.match) == (Verdict.REJECT, (Reason.UNKNOWN,), None)


def test_a_spoof_is_rejected_before_the_recogniser_is_asked(engine, portrait, template):
    built = engine(live=1.1, template=template)
    (result,) = built.look(portrait)
    assert (result.verdict, result.reasons) == (Verdict.REJECT, (Reason.SPOOF,))
    assert result.embedding is None and built.gallery.searches == 0


def test_a_bad_face_is_asked_to_retry_before_any_network(engine, portrait, template):
    built = engine(template=template)
    (result,) = built.look(np.asarray(cv2.GaussianBlur(portrait, (0, 0), 4), np.uint8))
    assert (result.verdict, result.reasons) == (Verdict.RETRY, ("blurred",))
    assert result.spoof is None and built.gallery.searches == 0


def test_without_gallery_and_judge_faces_are_embedded(engine, portrait):
    (result,) = engine(gallery=False, spoof=False).look(portrait)
    assert result.verdict is Verdict.ACCEPT and result.spoof is None and result.match is None
    assert np.linalg.norm(result.embedding) == pytest.approx(1, abs=1e-5)


def test_each_face_gets_its_own_answer(engine, portrait, template, photos):
    other = np.asarray(cv2.resize(load_picture(photos / "obama.jpg"), (410, 512)), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(portrait, (0, 0), 4), np.uint8)
    results = engine(template=template, same=0.97).look(np.hstack([blurred, other, portrait]))
    by_place = sorted(results, key=lambda result: result.face.box[0])
    assert [r.verdict for r in by_place] == [Verdict.RETRY, Verdict.REJECT, Verdict.ACCEPT]


def test_an_empty_room(engine):
    assert engine().look(np.full((120, 160, 3), 60, np.uint8)) == []


def test_answers_that_are_no_numbers_mean_retry(engine, portrait, monkeypatch):
    built = engine()
    monkeypatch.setattr(
        built.spoof.session, "run", lambda crops: np.full((len(crops), 2), np.nan, np.float32)
    )
    assert built.look(portrait)[0].reasons == (Reason.NO_ANSWER,)
    built = engine()
    monkeypatch.setattr(
        built.recogniser.session, "run", lambda crops: np.full((len(crops), 8), np.inf, np.float32)
    )
    (result,) = built.look(portrait)
    assert (result.verdict, result.reasons, result.embedding) == (Verdict.RETRY, (Reason.NO_ANSWER,), None)


def test_impossible_landmarks_mean_retry(engine, portrait):
    hopeless = Face(np.array([0, 0, 50, 50], np.float32), np.zeros((5, 2), np.float32), 0.9)
    (result,) = engine().gate(portrait, [hopeless])
    assert (result.verdict, result.reasons) == (Verdict.RETRY, (Reason.UNREADABLE,))


def test_the_detector_is_the_callers_choice(engine, portrait):
    built = engine(gallery=False)
    small = FaceEngine(built.recogniser, built.spoof, detector=Detector(side=320))
    assert len(small.look(portrait)) == 1

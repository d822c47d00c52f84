import numpy as np
import pytest

from facegate.contracts import Task
from facegate.errors import BundleError
from facegate.faces.align import align
from facegate.faces.crop import context_crop
from facegate.faces.detect import Detector
from facegate.faces.picture import load_picture
from facegate.runtime.bundle import write_bundle
from facegate.runtime.models import Recogniser, SpoofJudge
from facegate.runtime.policy import Verdict
from tests.runtime.tiny import make_contract, make_model, pictures, reference


@pytest.fixture(scope="module")
def portrait(photos):
    rgb = load_picture(photos / "astronaut.png")
    return rgb, Detector().detect(rgb)[0]


def test_the_recogniser_sees_the_aligned_crop(make_bundle, portrait):
    rgb, face = portrait
    embedding = Recogniser(make_bundle()).embed(rgb, face)
    assert embedding == pytest.approx(reference(align(rgb, face.landmarks, 16)[None])[0], abs=1e-5)
    assert Recogniser.compare(embedding, embedding) == pytest.approx(1)
    assert Recogniser.compare(embedding, -embedding) == pytest.approx(-1)


def test_the_judge_sees_the_context_crop(make_bundle, portrait):
    rgb, face = portrait
    crop = context_crop(rgb, face.box, 2.0, 16)
    expected = reference(crop[None], Task.SPOOF)[0, 1]
    assert SpoofJudge(make_bundle(Task.SPOOF)).score(rgb, face) == pytest.approx(expected, abs=1e-5)


def test_bona_fide_is_found_by_name(make_bundle, portrait):
    turned = make_bundle(Task.SPOOF, name="turned", classes=("bona_fide", "attack"))
    judges = [SpoofJudge(bundle) for bundle in (make_bundle(Task.SPOOF), turned)]
    scores = [judge.score(*portrait) for judge in judges]
    assert sum(scores) == pytest.approx(1, abs=1e-5) and abs(scores[0] - 0.5) > 1e-3


def test_crops_and_pictures_give_one_answer(make_bundle, portrait):
    rgb, face = portrait
    recogniser, judge = Recogniser(make_bundle()), SpoofJudge(make_bundle(Task.SPOOF))
    assert recogniser.embed_crops(recogniser.crop(rgb, face)[None])[0] == pytest.approx(
        recogniser.embed(rgb, face), abs=1e-6
    )
    assert judge.score_crops(judge.crop(rgb, face)[None])[0] == pytest.approx(
        judge.score(rgb, face), abs=1e-6
    )


def test_no_faces_are_no_answers(make_bundle, portrait):
    assert Recogniser(make_bundle()).embed_all(portrait[0], []).shape == (0, 8)
    assert SpoofJudge(make_bundle(Task.SPOOF)).score_all(portrait[0], []).shape == (0,)


def test_raw_embeddings_are_brought_to_unit_length(tmp_path):
    contract = make_contract()
    contract = contract.model_copy(
        update={"output": contract.output.model_copy(update={"normalised": False})}
    )
    golden = pictures(2)
    recogniser = Recogniser(write_bundle(tmp_path / "b", make_model(), contract, golden, reference(golden)))
    unit = recogniser.unit(np.array([[3, 4, 0, 0, 0, 0, 0, 0], [0] * 8], np.float32))
    assert unit.tolist() == [pytest.approx([0.6, 0.8, 0, 0, 0, 0, 0, 0]), [0] * 8]


def test_a_model_of_another_task_is_refused(make_bundle):
    with pytest.raises(BundleError, match="`task` is spoof; needed is recognition"):
        Recogniser(make_bundle(Task.SPOOF))
    with pytest.raises(BundleError, match="`task`"):
        SpoofJudge(make_bundle())


def test_a_model_without_operating_points_embeds_but_does_not_decide(make_bundle, portrait):
    recogniser = Recogniser(make_bundle(operating_points={}))
    assert recogniser.embed(*portrait).shape == (8,)
    with pytest.raises(BundleError, match="operating_points"):
        recogniser.decide(0.5)
    with pytest.raises(BundleError, match="operating_points"):
        Recogniser(make_bundle(operating_points={}), operating_point="eer")


def test_a_decision_names_what_it_stands_on(make_bundle):
    decision = Recogniser(make_bundle()).decide(0.75)
    assert decision == (Verdict.ACCEPT, 0.75, pytest.approx(2.5), 0.5, "fmr_1e-3")

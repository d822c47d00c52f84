from facegate.evaluation.corruptions import CORRUPTIONS
from facegate.evaluation.robustness import STRENGTHS, recognition_robustness, spoof_robustness
from tests.evaluation.small_sets import Brightness, Faces


def test_recognition_suffers_from_occlusion(face_pack, evaluate_params):
    found = recognition_robustness(Faces(), face_pack, 0.3, evaluate_params)
    assert set(found) == set(CORRUPTIONS)
    points = found["occlusion"]
    assert [point["strength"] for point in points] == list(STRENGTHS)
    assert points[0]["fnmr"]["trials"] == 60 * 5
    assert points[-1]["fnmr"]["value"] > points[0]["fnmr"]["value"] + 0.1
    assert found["blur"][0] == found["noise"][0] | {"strength": 0.0}


def test_darkness_turns_live_people_away(attack_pack, evaluate_params):
    found = spoof_robustness(Brightness(), attack_pack, 0.5, 1, evaluate_params)["low light"]
    assert found[0]["bpcer"]["trials"] == 40
    assert found[-1]["bpcer"]["value"] > 0.8
    assert found[-1]["apcer"]["value"] < found[0]["apcer"]["value"]


def test_figures_are_the_same_again(attack_pack, evaluate_params):
    first, again = (spoof_robustness(Brightness(), attack_pack, 0.5, 1, evaluate_params) for _ in range(2))
    assert first == again

"""Questions about pictures, asked over HTTP about photographs of real people through the real detector."""

import numpy as np
import pytest

from facegate.faces.picture import load_picture
from tests.serving.conftest import jpeg, served


def ask(running, path, **files):
    return running.client.post(f"/v1/{path}", files=files, headers=running.kiosk)


def test_every_face_is_found_with_its_quality(shared, crowd):
    answer = ask(shared, "detect", picture=crowd).json()
    assert (answer["width"], answer["height"]) == (768, 320) and len(answer["faces"]) == 3
    areas = [face["box"]["width"] * face["box"]["height"] for face in answer["faces"]]
    assert areas == sorted(areas, reverse=True)
    assert all(len(face["landmarks"]) == 5 and face["confidence"] > 0.6 for face in answer["faces"])
    assert answer["model"]["production"] and answer["model"]["synthetic"]


def test_an_empty_room_is_an_answer(shared):
    assert ask(shared, "identify", picture=jpeg(np.full((120, 160, 3), 90, np.uint8))).json()["faces"] == []


def test_every_face_gets_its_own_decision(shared, crowd):
    faces = ask(shared, "identify", picture=crowd).json()["faces"]
    assert [face["verdict"] for face in faces] == ["reject"] * 3
    assert {tuple(face["reasons"]) for face in faces} == {("unknown_person",)}
    assert all(face["spoof"]["verdict"] == "accept" and face["hints"][0]["text"] for face in faces)


def test_an_attack_is_refused_with_a_hint(tmp_path, attack_release, portraits):
    with served(tmp_path, attack_release) as running:
        (face,) = ask(running, "spoof", picture=portraits["obama"]).json()["faces"]
        assert (face["verdict"], face["reasons"]) == ("reject", ["spoof"])
        assert face["spoof"]["llr"] == -3.0 and face["identity"] is None
        assert face["hints"] == [{"code": "spoof", "text": "Please stand before the camera yourself"}]


def test_quality_comes_before_every_network(shared, portraits):
    dark = load_picture(portraits["obama"]) // 12
    (face,) = ask(shared, "identify", picture=jpeg(dark)).json()["faces"]
    assert face["verdict"] == "retry" and "too_dark" in face["reasons"] and face["spoof"] is None
    assert {"code": "too_dark", "text": "Turn to the light"} in face["hints"]


def test_two_pictures_of_one_person(shared, portraits):
    same = ask(shared, "verify", first=portraits["obama"], second=portraits["obama"]).json()
    assert same["verdict"] == "accept" and same["comparison"]["score"] == pytest.approx(1, abs=1e-5)
    assert same["comparison"]["operating_point"] == "fmr_1e-3" and same["first"]["person"] is None
    other = ask(shared, "verify", first=portraits["obama"], second=portraits["astronaut"]).json()
    assert (other["verdict"], other["reasons"]) == ("reject", ["other_person"])


def test_a_picture_without_a_face_cannot_be_compared(shared, portraits):
    empty = jpeg(np.full((120, 160, 3), 90, np.uint8))
    answer = ask(shared, "verify", first=portraits["obama"], second=empty).json()
    assert (answer["verdict"], answer["reasons"], answer["comparison"]) == ("retry", ["no_face"], None)
    assert answer["first"] is not None and answer["second"] is None


def test_what_a_picture_was_is_never_logged(shared, portraits, caplog):
    with caplog.at_level("DEBUG"):
        ask(shared, "identify", picture=portraits["obama"])
    (line,) = [record for record in caplog.records if record.name == "facegate.access"]
    assert set(line.fields) == {"request", "method", "route", "status", "ms", "key"}
    assert shared.key not in caplog.text and portraits["obama"][:20].hex() not in caplog.text

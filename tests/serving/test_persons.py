"""Enrolment over HTTP: what is taken, what is not and why, and that deleted is deleted."""

import numpy as np
import pytest

from facegate.contracts import Task
from facegate.faces.picture import load_picture
from tests.serving.conftest import jpeg, replace_release, served, write_release


def enrol(running, name, *pictures, **fields):
    files = [("pictures", picture) for picture in pictures]
    return running.client.post(
        "/v1/persons", data={"name": name, **fields}, files=files, headers=running.operator
    )


def who(running, picture):
    answer = running.client.post("/v1/identify", files={"picture": picture}, headers=running.kiosk).json()
    return [face["person"]["name"] if face["person"] else None for face in answer["faces"]]


def nudged(picture: bytes) -> bytes:
    """The same person, another file."""
    return jpeg(np.ascontiguousarray(load_picture(picture)[2:, 3:]), 90)


def test_enrolled_recognised_renamed_deleted(running, portraits, crowd):
    made = enrol(running, "Barack", portraits["obama"], nudged(portraits["obama"]))
    assert made.status_code == 201
    person = made.json()["person"]
    assert (
        person["templates"] == 2
        and person["current"]
        and [p["accepted"] for p in made.json()["pictures"]] == [True] * 2
    )
    assert who(running, portraits["obama"]) == ["Barack"] and who(running, portraits["astronaut"]) == [None]
    assert enrol(running, "Eileen", portraits["astronaut"], id="astronaut-1").status_code == 201
    assert sorted(filter(None, who(running, crowd))) == ["Barack", "Eileen"], "three people in one picture"
    url = f"/v1/persons/{person['id']}"
    changed = running.client.patch(url, json={"name": "B. O."}, headers=running.operator).json()
    assert changed["name"] == "B. O." and who(running, portraits["obama"]) == ["B. O."]
    assert running.client.delete(url, headers=running.operator).status_code == 204
    assert who(running, portraits["obama"]) == [None]
    assert running.client.get(url, headers=running.operator).status_code == 404
    assert running.client.delete(url, headers=running.operator).status_code == 404
    kinds = [entry.kind for entry in running.service.journal.entries()]
    assert kinds == ["enrol", "enrol", "change_person", "delete_person"]
    assert "Barack" not in str(running.service.journal.entries())


def test_every_bad_picture_gets_its_reason(running, portraits, crowd):
    empty = jpeg(np.full((120, 160, 3), 90, np.uint8))
    dark = jpeg(load_picture(portraits["obama"]) // 12)
    answer = enrol(
        running,
        "Barack",
        portraits["obama"],
        empty,
        crowd,
        dark,
        nudged(portraits["obama"]),
        portraits["astronaut"],
    )
    pictures = answer.json()["pictures"]
    assert [p["accepted"] for p in pictures] == [True, False, False, False, True, False]
    assert [p["reasons"][:1] for p in pictures[1:4]] == [["no_face"], ["several_faces"], ["too_dark"]]
    assert pictures[5]["reasons"] == ["other_person"] and pictures[5]["hints"][0]["text"]


def test_nothing_is_stored_if_no_picture_is_good(tmp_path, attack_release, portraits):
    with served(tmp_path, attack_release) as running:
        answer = enrol(running, "Barack", portraits["obama"])
        assert answer.status_code == 422
        assert answer.json()["enrolment"]["pictures"][0]["reasons"] == ["spoof"]
        assert running.client.get("/v1/persons", headers=running.operator).json()["total"] == 0


def test_a_duplicate_person_is_refused_unless_it_is_meant(running, portraits):
    first = enrol(running, "Barack", portraits["obama"]).json()["person"]
    again = enrol(running, "Barry", nudged(portraits["obama"]))
    assert again.status_code == 409
    (alike,) = again.json()["enrolment"]["duplicates"]
    assert (alike["id"], alike["name"]) == (first["id"], "Barack") and alike["score"] > 0.9
    twin = enrol(running, "Twin", nudged(portraits["obama"]), allow_duplicate="true")
    assert twin.status_code == 201 and twin.json()["duplicates"][0]["name"] == "Barack"
    taken = enrol(running, "Eileen", portraits["astronaut"], id=first["id"])
    assert taken.status_code == 409 and "enrolled already" in taken.json()["detail"]


def test_pictures_of_somebody_else_cannot_be_added(running, portraits):
    person = enrol(running, "Barack", portraits["obama"]).json()["person"]["id"]
    url = f"/v1/persons/{person}/pictures"
    files = [("pictures", nudged(portraits["obama"])), ("pictures", portraits["astronaut"])]
    answer = running.client.post(url, files=files, headers=running.operator).json()
    assert [p["accepted"] for p in answer["pictures"]] == [True, False] and answer["person"]["templates"] == 2
    nobody = running.client.post("/v1/persons/nobody/pictures", files=files, headers=running.operator)
    assert nobody.status_code == 404


def test_pages_and_search(running, portraits):
    enrol(running, "Ådä", portraits["obama"])
    enrol(running, "Bea", portraits["astronaut"])

    def page(**query):
        return running.client.get("/v1/persons", params=query, headers=running.operator).json()

    first = page(limit=1)
    assert [p["name"] for p in first["persons"]] == ["Ådä"] and (first["total"], first["next"]) == (2, "2")
    second = page(limit=1, after=first["next"])
    assert [p["name"] for p in second["persons"]] == ["Bea"] and second["next"] is None
    assert [p["name"] for p in page(query="ada")["persons"]] == ["Ådä"]


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 201}, {"name": "A", "id": "../etc"}, {"name": " "}]
)
def test_impossible_names_are_refused(shared, portraits, fields):
    answer = enrol(shared, fields.pop("name"), portraits["obama"], **fields)
    assert answer.status_code == 422, answer.text


def test_too_many_pictures(shared, portraits):
    assert enrol(shared, "A", *[portraits["obama"]] * 11).status_code == 413


@pytest.mark.parametrize("keep", [True, False])
def test_another_recogniser_uses_kept_crops_or_asks_people_to_come_again(tmp_path, portraits, keep):
    release = tmp_path / "release"
    write_release(release)
    with served(tmp_path / "var", release, keep_crops=keep) as running:
        enrol(running, "Barack", portraits["obama"])
        replace_release(release, size=20, name="other")
        running.service.production.refresh()
        assert (
            running.service.production.current.release.bundles[Task.RECOGNITION].contract.input.height == 20
        )
        waiting = running.client.get("/v1/persons/re-enrol", headers=running.operator).json()["persons"]
        ready = running.client.get("/readyz").json()
        if keep:
            assert waiting == [] and ready["problems"] == []
        else:
            assert [(p["name"], p["current"]) for p in waiting] == [("Barack", False)]
            assert "1 people must be enrolled anew" in ready["problems"][0] and ready["ready"]
            url = f"/v1/persons/{waiting[0]['id']}/pictures"
            running.client.post(url, files={"pictures": portraits["obama"]}, headers=running.operator)
        assert who(running, portraits["obama"]) == ["Barack"]

"""Attendance over HTTP: marked from a picture, by hand, corrected, asked for, exported."""

import csv
import io

import pytest

from tests.serving.test_persons import enrol


@pytest.fixture
def barack(running, portraits):
    return enrol(running, "=Barack", portraits["obama"]).json()["person"]["id"]


def mark(running, picture, **fields):
    return running.client.post(
        "/v1/attendance/picture",
        files={"picture": picture},
        data={"camera": "door", **fields},
        headers=running.kiosk,
    )


def show(running, **query):
    return running.client.get("/v1/attendance", params=query, headers=running.operator).json()


def test_whoever_is_known_is_marked_once_and_strangers_are_counted(running, barack, crowd):
    first = mark(running, crowd).json()
    (marked,) = first["marked"]
    assert marked["person"] == {"id": barack, "name": "=Barack"} and not marked["repeated"]
    assert first["faces"][marked["track"]]["person"]["id"] == barack
    assert mark(running, crowd).json()["marked"][0]["repeated"]
    shown = show(running)
    (row,) = shown["rows"]
    assert (row["person"], row["sightings"], row["camera"], row["corrected"]) == (barack, 2, "door", False)
    assert shown["unknown"] == 4
    page = running.client.get("/metrics", headers=running.operator).text
    assert (
        'facegate_marks_total{repeated="false"} 1.0' in page
        and 'facegate_marks_total{repeated="true"} 1.0' in page
    )


def test_by_hand_with_a_trail(running, barack):
    at = "2030-01-31T08:00:00Z"
    wanted = {"person": barack, "at": at, "reason": "forgot the badge"}
    made = running.client.post("/v1/attendance", json=wanted, headers=running.operator)
    assert made.status_code == 201 and made.json()["corrected"] and made.json()["note"] == "forgot the badge"
    url = f"/v1/attendance/{made.json()['id']}/corrections"
    later = running.client.post(
        url, json={"last_seen": "2030-01-31T09:00:00Z", "reason": "stayed"}, headers=running.operator
    ).json()
    assert (later["first_seen"], later["last_seen"]) == (at, "2030-01-31T09:00:00Z")
    backwards = {"last_seen": "2030-01-31T07:00:00Z", "reason": "?"}
    assert running.client.post(url, json=backwards, headers=running.operator).status_code == 422
    assert [row["day"] for row in show(running, day="2030-01-31")["rows"]] == ["2030-01-31"]
    gone = running.client.post(url, json={"void": True, "reason": "mistaken"}, headers=running.operator)
    assert gone.status_code == 200 and show(running, day="2030-01-31")["rows"] == []
    trail = running.service.attendance.trail(int(made.json()["id"]))
    assert [entry.reason for entry in trail] == ["forgot the badge", "stayed", "mistaken"]
    assert all(entry.made_by.startswith("operator (") for entry in trail)


def test_sessions(running, barack, portraits):
    lesson = {
        "id": "math-1",
        "name": "Mathematics",
        "starts": "2020-01-31T08:00:00Z",
        "ends": "2020-01-31T09:00:00Z",
    }
    assert running.client.post("/v1/sessions", json=lesson, headers=running.operator).status_code == 201
    assert running.client.post("/v1/sessions", json=lesson, headers=running.operator).status_code == 409
    running.client.post(
        "/v1/sessions", json={**lesson, "id": "open", "ends": None}, headers=running.operator
    ).raise_for_status()
    assert [s["id"] for s in running.client.get("/v1/sessions", headers=running.operator).json()] == [
        "math-1",
        "open",
    ]
    assert mark(running, portraits["obama"], session="math-1").status_code == 409, "it is over"
    assert mark(running, portraits["obama"], session="nothing").status_code == 404
    assert mark(running, portraits["obama"], session="open").json()["marked"]
    assert len(show(running, session="open")["rows"]) == 1 and show(running, session="math-1")["rows"] == []


def test_a_table_that_no_spreadsheet_runs(running, barack, portraits):
    mark(running, portraits["obama"])
    answer = running.client.get("/v1/attendance.csv", headers=running.operator)
    assert (
        answer.headers["content-type"].startswith("text/csv")
        and "attachment" in answer.headers["content-disposition"]
    )
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["person"], row["name"], row["camera"]) == (barack, "'=Barack", "door")


@pytest.mark.parametrize(
    "query",
    [{"day": "2030-02-01", "until": "2030-01-01"}, {"day": "2020-01-01", "until": "2029-01-01"}, {"day": "0001-01-01"},
     {"day": "9999-12-31"}, {"day": "yesterday"}, {"person": "x" * 65}],
)  # fmt: skip
def test_impossible_questions(shared, query):
    answer = shared.client.get("/v1/attendance", params=query, headers=shared.operator)
    assert answer.status_code == 422 and answer.json()["detail"]


def test_the_log_of_decisions_is_chained(running, barack, crowd):
    mark(running, crowd)
    assert running.client.get("/v1/journal", headers=running.admin).json() == {
        "entries": 4, "sound": True, "problems": [],
    }  # fmt: skip
    with running.service.database.write() as connection:
        connection.exec_driver_sql("UPDATE journal SET details = '{}' WHERE number = 2")
    broken = running.client.get("/v1/journal", headers=running.admin).json()
    assert not broken["sound"] and "entry 2" in broken["problems"][0]

"""The WebSocket: frames of real photographs in, one decision a person out."""

import struct

import numpy as np
import pytest

from facegate.faces.picture import load_picture
from facegate.serving.hints import texts
from facegate.serving.routes import stream as stream_route
from tests.serving.conftest import jpeg, replace_release, served, write_release
from tests.serving.test_persons import enrol


def frames(picture: bytes, count: int) -> list[bytes]:
    """A head that moves a little, each frame other bytes."""
    rgb = load_picture(picture)
    return [jpeg(np.ascontiguousarray(np.roll(rgb, i, axis=1))) for i in range(count)]


class Camera:
    """The client's end of a stream."""

    def __init__(self, socket, key, **hello):
        self.socket, self.time = socket, 50.0
        socket.send_json({"type": "hello", "key": key, "camera": "door", **hello})
        self.ready = socket.receive_json()

    def send(self, data, step=0.1):
        self.time += step
        self.socket.send_bytes(struct.pack(">d", self.time) + data)
        return self.socket.receive_json()


@pytest.fixture
def camera(running):
    with running.client.websocket_connect("/v1/stream") as socket:
        yield Camera(socket, running.key)


def test_enrolled_seen_marked_once(running, portraits, camera):
    person = enrol(running, "Barack", portraits["obama"]).json()["person"]["id"]
    assert (
        camera.ready["type"] == "ready"
        and camera.ready["max_fps"] == 15
        and camera.ready["model"]["production"]
    )
    answers = [camera.send(frame) for frame in frames(portraits["obama"], 9)]
    assert {answer["status"] for answer in answers} == {"seen"}
    first = answers[0]["tracks"][0]
    assert first["verdict"] is None and first["hints"][0]["text"] == texts()["looking"]
    settled = [i for i, answer in enumerate(answers) if answer["tracks"][0]["final"]]
    assert settled and settled[0] <= 6, "evidence of 3 a frame suffices after the least number of frames"
    last = answers[-1]["tracks"][0]
    assert (last["verdict"], last["person"]) == ("accept", {"id": person, "name": "Barack"})
    assert last["identity"]["score"] > 0.9 and last["id"] == first["id"]
    marked = [mark for answer in answers for mark in answer["marked"]]
    assert [(m["person"]["id"], m["repeated"]) for m in marked] == [(person, False)]
    (entry,) = [e for e in running.service.journal.entries() if e.kind == "decision"]
    assert entry.details["person"] == person and entry.details["camera"] == "door"
    (row,) = running.client.get("/v1/attendance", headers=running.operator).json()["rows"]
    assert (row["person"], row["camera"]) == (person, "door")


def test_three_people_get_three_decisions(running, portraits, crowd, camera):
    enrol(running, "Barack", portraits["obama"])
    enrol(running, "Eileen", portraits["astronaut"])
    answers = [camera.send(frame) for frame in frames(crowd, 12)]
    last = {
        t["id"]: (t["verdict"], t["person"]["name"] if t["person"] else None) for t in answers[-1]["tracks"]
    }
    assert sorted(last.values(), key=str) == [("accept", "Barack"), ("accept", "Eileen"), ("reject", None)]
    assert sorted(m["person"]["name"] for a in answers for m in a["marked"]) == ["Barack", "Eileen"]
    assert running.client.get("/v1/attendance", headers=running.operator).json()["unknown"] == 1


def test_an_attack_is_turned_away_and_not_marked(tmp_path, attack_release, portraits):
    with (
        served(tmp_path, attack_release) as running,
        running.client.websocket_connect("/v1/stream") as socket,
    ):
        camera = Camera(socket, running.key)
        answers = [camera.send(frame) for frame in frames(portraits["obama"], 9)]
        track = answers[-1]["tracks"][0]
        assert (track["verdict"], track["reasons"], track["person"]) == ("reject", ["spoof"], None)
        assert not any(answer["marked"] for answer in answers)
        assert running.client.get("/v1/attendance", headers=running.operator).json()["rows"] == []


def test_a_picture_that_stands_still_is_no_evidence(running, portraits, camera):
    enrol(running, "Barack", portraits["obama"])
    answers = [camera.send(portraits["obama"]) for _ in range(14)]
    assert [a["status"] for a in answers[:3]] == ["seen", "repeated", "repeated"]
    assert not any(answer["marked"] for answer in answers) and answers[-1]["tracks"][0]["frames"] == 1
    assert answers[-1]["hints"][0]["code"] == "still_picture"
    page = running.client.get("/metrics", headers=running.operator).text
    assert 'facegate_stream_suspicions_total{kind="repeated"} 13.0' in page


def test_what_is_no_picture_is_said_and_the_stream_goes_on(running, portraits, camera):
    bad = [camera.send(data)["status"] for data in (b"x", b"\xff\xd8\xff", portraits["obama"][:-50])]
    assert bad == ["unreadable"] * 3
    backwards = camera.send(portraits["obama"], step=-1)
    assert backwards["status"] == "late" and backwards["tracks"] == []
    assert camera.send(portraits["obama"], step=2)["status"] == "seen"
    empty = camera.send(jpeg(np.full((120, 160, 3), 90, np.uint8)))
    assert empty["hints"] == [{"code": "no_face", "text": texts()["no_face"]}] or empty["tracks"]


@pytest.mark.parametrize(
    ("first", "status"),
    [("no json", 422), ("{}", 422), ('{"type": "hello", "key": "k", "extra": 1}', 422),
     ('{"type": "hello", "key": "k", "camera": "a b"}', 422), (b"bytes", 422), ('{"key": "wrong"}', 401)],
)  # fmt: skip
def test_a_bad_hello_is_refused(shared, first, status):
    with shared.client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(first) if isinstance(first, bytes) else socket.send_text(first)
        problem = socket.receive_json()
        assert (problem["type"], problem["status"]) == ("problem", status) and problem["detail"]
        assert socket.receive()["type"] == "websocket.close"


@pytest.mark.parametrize("message", ["text", bytes(8), struct.pack(">d", float("nan")) + b"x"])
def test_a_message_that_is_no_frame_ends_the_stream(shared, message):
    with shared.client.websocket_connect("/v1/stream") as socket:
        Camera(socket, shared.key)
        socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
        assert socket.receive_json()["status"] == 422 and socket.receive()["code"] == 1008


def test_an_unknown_session_is_refused_before_the_first_frame(running):
    with running.client.websocket_connect("/v1/stream") as socket:
        assert Camera(socket, running.key, session="nothing").ready["status"] == 404


def test_only_so_many_streams(run):
    running = run(max_streams=1)
    with (
        running.client.websocket_connect("/v1/stream") as one,
        running.client.websocket_connect("/v1/stream") as two,
    ):
        assert Camera(one, running.key).ready["type"] == "ready"
        assert two.receive_json()["status"] == 503 and two.receive()["code"] == 1013


def test_a_revoked_key_ends_its_stream(running, portraits, camera):
    assert camera.send(portraits["obama"])["status"] == "seen"
    for key in running.service.keys.all():
        running.service.keys.revoke(key.id)
    running.service.ring.forget()
    assert camera.send(portraits["astronaut"])["status"] == 401


def test_a_stream_of_nothing_new_is_closed(running, portraits, camera, monkeypatch):
    monkeypatch.setattr(stream_route, "MOST_SUSPICIONS", 3)
    for _ in range(4):
        camera.send(portraits["obama"])
    assert camera.socket.receive_json()["status"] == 409 and camera.socket.receive()["code"] == 1008


def test_evidence_of_two_releases_is_not_added_up(tmp_path, portraits):
    release = tmp_path / "release"
    write_release(release, live=False)
    with (
        served(tmp_path / "var", release) as running,
        running.client.websocket_connect("/v1/stream") as socket,
    ):
        camera = Camera(socket, running.key)
        moving = frames(portraits["obama"], 8)
        assert camera.send(moving[0])["tracks"][0]["llr"] == pytest.approx(-3)
        replace_release(release, live=True)
        running.service.production.refresh()
        (track,) = camera.send(moving[1])["tracks"]
        assert (track["frames"], track["llr"]) == (1, pytest.approx(3))
        replace_release(release, calibrated=False)
        running.service.production.refresh()
        assert camera.send(moving[2])["status"] == 409, "a judge that is not calibrated cannot add up"

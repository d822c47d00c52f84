"""The typed client against the real application."""

from datetime import UTC, date, datetime

import httpx
import pytest

from facegate.serving.client import Client, ServiceError
from facegate.serving.schemas.records import Correction, ManualMark, PersonChange, SessionNew
from facegate.serving.store.keys import Role
from tests.serving.test_stream import frames


@pytest.fixture
def client(running):
    return Client("", running.admin["Authorization"].removeprefix("Bearer "), http=running.client)


def test_from_enrolment_to_the_table(client, portraits, tmp_path):
    place = tmp_path / "obama.jpg"
    place.write_bytes(portraits["obama"])
    person = client.enrol("Barack", [place], id="b-1").person
    assert person is not None and client.person("b-1") == person == next(client.persons())
    assert client.identify(place).faces[0].person.name == "Barack"
    assert client.verify(place, portraits["obama"]).verdict == "accept"
    assert client.detect(place).faces and client.spoof(place).faces[0].spoof.verdict == "accept"
    assert (
        client.liveness(frames(portraits["obama"], 8), [k / 10 for k in range(8)]).tracks[0].verdict
        == "accept"
    )
    assert client.add_pictures("b-1", [place]).person.templates == 2
    assert client.change_person("b-1", PersonChange(name="B.")).name == "B."
    client.create_session(SessionNew(id="s", name="S", starts=datetime(2030, 1, 1, tzinfo=UTC)))
    assert [session.id for session in client.sessions()] == ["s"]
    assert client.mark_picture(place, session="s").marked[0].person.id == "b-1"
    mark = client.mark(ManualMark(person="b-1", at=datetime(2030, 1, 31, 8, tzinfo=UTC), reason="badge"))
    assert client.correct(
        mark.id, Correction(last_seen=datetime(2030, 1, 31, 9, tzinfo=UTC), reason="r")
    ).corrected
    assert len(client.attendance(date(2030, 1, 31)).rows) == 1 and "b-1" in client.attendance_csv(session="s")
    assert (
        client.re_enrol_list().persons == ()
        and client.models().source == "folder"
        and client.readiness().ready
    )
    key = client.create_key("door", Role.KIOSK)
    known = client.keys()
    assert key.id in [one.id for one in known] and client.me().role is Role.ADMIN
    client.revoke_key(key.id)
    client.delete_person("b-1")
    assert client.journal().sound and list(client.persons()) == []


def test_refusals_are_errors_with_the_next_step(client):
    with pytest.raises(ServiceError) as refused:
        client.person("nobody")
    assert refused.value.status == 404 and "nobody" in refused.value.problem and refused.value.remedy
    with pytest.raises(ServiceError) as refused:
        client.identify(b"no picture")
    assert refused.value.status == 422 and refused.value.document["title"] == "Cannot be used"


def test_a_service_that_is_not_there():
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    with (
        Client(
            "", "fg_key", http=httpx.Client(transport=httpx.MockTransport(refuse), base_url="http://x")
        ) as client,
        pytest.raises(ServiceError, match="check that the service runs"),
    ):
        client.me()


def test_a_proxy_that_answers_in_its_own_words():
    transport = httpx.MockTransport(lambda request: httpx.Response(502, text="<html>bad gateway</html>"))
    client = Client("", "fg_key", http=httpx.Client(transport=transport, base_url="http://x"))
    with client, pytest.raises(ServiceError, match="status 502"):
        client.me()

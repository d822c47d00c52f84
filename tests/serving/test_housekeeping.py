"""What is over is deleted; what is not stays."""

from datetime import UTC, datetime, timedelta

from tests.serving.test_persons import enrol, who


def test_people_marks_and_log_go_when_their_time_is_over(run, portraits):
    running = run(retention_days=30)
    service, now = running.service, datetime.now(UTC)
    enrol(running, "Barack", portraits["obama"], id="stays")
    enrol(
        running, "Eileen", portraits["astronaut"], id="goes", keep_until=(now + timedelta(days=1)).isoformat()
    )
    service.attendance.mark("stays", at=now - timedelta(days=31))
    service.attendance.mark("stays", at=now)
    assert service.housekeeping.clean(now) == {"persons": 0, "marks": 1, "entries": 0}
    assert service.housekeeping.clean(now + timedelta(days=2))["persons"] == 1
    assert who(running, portraits["astronaut"]) == [None] and who(running, portraits["obama"]) == ["Barack"]
    assert service.housekeeping.clean(now + timedelta(days=32))["entries"] == 3
    assert service.journal.verify().entries == 0
    running.client.post(
        "/v1/sessions", json={"id": "s", "name": "S", "starts": now.isoformat()}, headers=running.operator
    )
    assert service.journal.verify().entries == 1, "the chain goes on after it was pruned"


def test_without_an_age_everything_stays(run, portraits):
    running = run()
    enrol(running, "Barack", portraits["obama"], id="p")
    running.service.attendance.mark("p", at=datetime.now(UTC) - timedelta(days=3000))
    assert running.service.housekeeping.clean() == {"persons": 0, "marks": 0, "entries": 0}

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from facegate.serving.store import Attendance, ConflictError, InvalidError, NotFoundError
from facegate.serving.store.schema import marks

EIGHT = datetime(2030, 3, 4, 8, tzinfo=UTC)
DAY = EIGHT.date()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.fixture
def ada(gallery, draw) -> str:
    return gallery.enrol(name="Ada", templates=draw(1), person_id="ada").id


@pytest.fixture
def bob(gallery, draw) -> str:
    return gallery.enrol(name="Bob", templates=draw(1), person_id="bob").id


def test_sightings_close_in_time_are_one_mark(attendance, ada):
    first = attendance.mark(ada, at=EIGHT, camera="door", score=0.7)
    again = attendance.mark(ada, at=EIGHT + minutes(10), camera="hall", score=0.6)
    later = attendance.mark(ada, at=EIGHT + minutes(21), camera="hall", score=0.5)
    assert (first.new, again.new, later.new) == (True, False, True)
    mark = attendance.marks()[0]
    assert mark == again.mark
    assert (mark.first_seen, mark.last_seen) == (EIGHT, EIGHT + minutes(10))
    assert (mark.camera, mark.sightings, mark.score, mark.name) == ("door", 2, 0.7, "Ada")


def clusters(times: list[int], window: int) -> list[tuple[int, int, int]]:
    """First, last and number of sightings of each run whose gaps are within the window."""
    found: list[tuple[int, int, int]] = []
    for time in sorted(times):
        if found and time - found[-1][1] <= window:
            found[-1] = (found[-1][0], time, found[-1][2] + 1)
        else:
            found.append((time, time, 1))
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 12))
def test_marks_do_not_depend_on_the_order_of_sightings(database, ada, times, window):
    with database.write() as connection:
        connection.execute(delete(marks))
    attendance = Attendance(database, window=minutes(window))
    for time in times:
        attendance.mark(ada, at=EIGHT + minutes(time), camera=f"c{time}")
    found = [(m.first_seen - EIGHT, m.last_seen - EIGHT, m.sightings) for m in attendance.marks()]
    wanted = clusters(times, window)
    assert found == [(minutes(a), minutes(b), n) for a, b, n in wanted]
    assert [m.camera for m in attendance.marks()] == [f"c{a}" for a, _, _ in wanted]


def test_workers_that_see_a_person_at_once_make_one_mark(attendance, ada):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: attendance.mark(ada, at=EIGHT + timedelta(seconds=i)), range(16)))
    assert sum(marked.new for marked in done) == 1
    assert [mark.sightings for mark in attendance.marks()] == [16]


def test_sessions_part_the_marks(attendance, ada):
    maths = attendance.create_session("Maths", starts_at=EIGHT, session_id="maths")
    assert attendance.mark(ada, at=EIGHT, session_id="maths").new
    assert attendance.mark(ada, at=EIGHT).new
    assert [m.session_id for m in attendance.marks(session_id="maths")] == ["maths"]
    assert attendance.sessions(day=DAY) == [maths]
    assert attendance.sessions(day=date(2030, 3, 5)) == []
    closed = attendance.close_session("maths", ends_at=EIGHT + minutes(45))
    assert attendance.session("maths") == closed
    attendance.mark(ada, at=EIGHT + minutes(45), session_id="maths")
    with pytest.raises(ConflictError, match="`maths` is over"):
        attendance.mark(ada, at=EIGHT + minutes(46), session_id="maths")
    with pytest.raises(ConflictError, match="there already"):
        attendance.create_session("Again", session_id="maths")
    with pytest.raises(InvalidError, match="ends before it starts"):
        attendance.close_session("maths", ends_at=EIGHT - minutes(1))
    assert attendance.session("maths") == closed


def test_what_is_not_there_is_named(attendance, ada):
    with pytest.raises(NotFoundError, match="no person `eve`"):
        attendance.mark("eve")
    with pytest.raises(NotFoundError, match="no session `none`"):
        attendance.mark(ada, session_id="none")
    with pytest.raises(NotFoundError, match="no session `none`"):
        attendance.close_session("none")
    with pytest.raises(NotFoundError, match="no mark 77"):
        attendance.correct(77, by="op", reason="r", void=True)
    with pytest.raises(InvalidError, match="camera"):
        attendance.mark(ada, camera="a b")
    with pytest.raises(InvalidError, match="no zone"):
        attendance.mark(ada, at=datetime(2030, 1, 1))
    assert attendance.marks() == []


def test_a_day_ends_at_midnight_of_the_place(database, ada, bob):
    oslo = Attendance(database, zone=ZoneInfo("Europe/Oslo"))
    late = datetime(2030, 7, 1, 21, 59, tzinfo=UTC)
    oslo.mark(ada, at=late)
    oslo.mark(ada, at=late + minutes(30))
    oslo.mark(bob, at=late + minutes(2))
    assert [m.person_id for m in oslo.marks(day=date(2030, 7, 1))] == ["ada"]
    assert [e.person_id for e in oslo.day(date(2030, 7, 2))] == ["bob", "ada"]
    begin, end = oslo.day_bounds(date(2030, 3, 31))
    assert end - begin == timedelta(hours=23)


def test_a_day_shows_first_and_last_of_everybody(attendance, ada, bob):
    attendance.mark(bob, at=EIGHT + minutes(1))
    for minute in (0, 5, 60, 300):
        attendance.mark(ada, at=EIGHT + minutes(minute))
    day = attendance.day(DAY)
    assert [(e.person_id, e.marks, e.sightings) for e in day] == [("ada", 3, 4), ("bob", 1, 1)]
    assert (day[0].first_seen, day[0].last_seen) == (EIGHT, EIGHT + minutes(300))


def test_unknown_faces_are_counted_by_hour_and_camera(attendance):
    for minute in (0, 59, 60):
        attendance.count_unknown(at=EIGHT + minutes(minute), camera="door")
    attendance.count_unknown(at=EIGHT, camera="hall", session_id="maths")
    found = attendance.unknown_counts(day=DAY)
    assert [(c.hour.hour, c.camera, c.session_id, c.seen) for c in found] == [
        (8, "door", None, 2),
        (8, "hall", "maths", 1),
        (9, "door", None, 1),
    ]


def test_a_correction_leaves_a_trail(attendance, ada, bob):
    number = attendance.mark(ada, at=EIGHT).mark.id
    changed = attendance.correct(number, by="op", reason="left late", last_seen=EIGHT + minutes(90))
    assert (changed.last_seen, changed.corrected) == (EIGHT + minutes(90), True)
    moved = attendance.correct(number, by="op2", reason="was Bob", person_id=bob)
    assert (moved.person_id, moved.name) == ("bob", "Bob")
    attendance.correct(number, by="op", reason="was nobody", void=True)
    assert attendance.marks() == []
    assert [m.id for m in attendance.marks(with_void=True)] == [number]
    trail = attendance.trail(number)
    assert [(c.made_by, c.reason) for c in trail] == [
        ("op", "left late"),
        ("op2", "was Bob"),
        ("op", "was nobody"),
    ]
    assert trail[0].before["last_seen"] == EIGHT.isoformat()
    assert trail[1].before["person_id"] == "ada"
    assert (trail[2].before["void"], trail[2].after["void"]) == (False, True)


def test_no_sighting_changes_what_a_person_corrected(attendance, ada):
    number = attendance.mark(ada, at=EIGHT).mark.id
    attendance.correct(number, by="op", reason="came earlier", first_seen=EIGHT - minutes(30))
    seen = attendance.mark(ada, at=EIGHT + minutes(5))
    assert not seen.new
    assert (seen.mark.first_seen, seen.mark.last_seen) == (EIGHT - minutes(30), EIGHT)
    attendance.correct(number, by="op", reason="not Ada", void=True)
    assert attendance.mark(ada, at=EIGHT + minutes(6)).new


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"last_seen": EIGHT - minutes(1)}, "end before it starts"),
        ({"void": False}, "changes nothing"),
        ({}, "changes nothing"),
        ({"void": True, "reason": " "}, "reason has 0"),
        ({"void": True, "by": ""}, "by has 0"),
    ],
)
def test_a_correction_that_makes_no_sense_changes_nothing(attendance, ada, change, says):
    mark = attendance.mark(ada, at=EIGHT).mark
    with pytest.raises(InvalidError, match=says):
        attendance.correct(mark.id, **{"by": "op", "reason": "why"} | change)
    assert attendance.marks() == [mark]
    assert attendance.trail(mark.id) == []


def test_marks_are_entered_by_hand_with_a_trail(attendance, ada):
    mark = attendance.enter(ada, by="op", reason="forgot", first_seen=EIGHT, last_seen=EIGHT + minutes(60))
    assert (mark.corrected, mark.sightings, mark.score) == (True, 0, None)
    assert [(c.before, c.reason) for c in attendance.trail(mark.id)] == [({}, "forgot")]
    with pytest.raises(InvalidError, match="end before it starts"):
        attendance.enter(ada, by="op", reason="r", first_seen=EIGHT, last_seen=EIGHT - minutes(1))
    assert len(attendance.marks()) == 1


def test_old_attendance_is_purged(attendance, ada):
    old = attendance.mark(ada, at=EIGHT).mark
    attendance.correct(old.id, by="op", reason="r", last_seen=EIGHT + minutes(1))
    attendance.count_unknown(at=EIGHT)
    young = attendance.mark(ada, at=EIGHT + timedelta(days=40)).mark
    assert attendance.purge(EIGHT + timedelta(days=30)) == 1
    assert attendance.marks() == [young]
    assert attendance.trail(old.id) == []
    assert attendance.unknown_counts(day=DAY) == []


def test_numbers_and_times_that_no_database_holds_are_refused(attendance, ada):
    for call in (
        lambda: attendance.mark(ada, at=datetime.max.replace(tzinfo=UTC)),
        lambda: attendance.mark(ada, at=datetime.max.replace(tzinfo=ZoneInfo("America/New_York"))),
        lambda: attendance.marks(day=date.max),
        lambda: attendance.mark(ada, session_id="a\0b"),
        lambda: attendance.correct(10**30, by="op", reason="r", void=True),
    ):
        with pytest.raises((InvalidError, NotFoundError)):
            call()
    assert attendance.marks() == []

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from facegate.chain import START
from facegate.serving.store import InvalidError, JournalError
from facegate.serving.store.schema import journal as table
from facegate.serving.store.schema import journal_ends

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def filled(journal, count: int = 6):
    return [journal.append("identify", {"i": i}, at=NOON + timedelta(hours=i)) for i in range(count)]


def test_entries_come_back_in_order_and_verify(journal):
    made = filled(journal)
    assert journal.entries() == made
    assert [e.number for e in journal.entries(after=2, limit=2)] == [3, 4]
    assert made[0].previous_hash == START
    assert made[1].previous_hash == made[0].hash
    assert journal.verify() == (6, 0, made[-1].hash)


def test_an_empty_journal_verifies(journal):
    assert journal.verify() == (0, 0, START)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 5),
    change=st.sampled_from(["time", "kind", "details", "previous_hash", "hash", "drop", "swap"]),
)
def test_any_change_is_found_and_named(database, journal, number, change):
    reset(database)
    filled(journal)
    with database.write() as connection:
        row = table.c.number == number
        if change == "drop":
            connection.execute(delete(table).where(row))
        elif change == "swap":
            other = (number + 1) % 6
            values = {r.number: r._mapping for r in connection.execute(select(table))}
            for one, two in ((number, other), (other, number)):
                new = {k: v for k, v in values[two].items() if k != "number"}
                connection.execute(update(table).where(table.c.number == one).values(new))
        else:
            old = connection.execute(select(table.c[change]).where(row)).scalar_one()
            connection.execute(update(table).where(row).values({change: old[:-1] + chr(ord(old[-1]) ^ 1)}))
    first = min(number, (number + 1) % 6) if change == "swap" else number
    with pytest.raises(JournalError, match=f"journal entry ({first}|{first + 1}):"):
        journal.verify()


def reset(database) -> None:
    with database.write() as connection:
        connection.execute(delete(table))
        connection.execute(update(journal_ends).values(number=-1, hash=START))


def test_an_added_entry_is_found(database, journal):
    filled(journal)
    with database.write() as connection:
        last = connection.execute(select(table).where(table.c.number == 5)).one()
        connection.execute(insert(table).values({**last._mapping, "number": 6}))
        connection.execute(update(journal_ends).where(journal_ends.c.name == "head").values(number=6))
    with pytest.raises(JournalError, match="journal entry 6"):
        journal.verify()


def test_a_cut_off_end_is_found(database, journal):
    filled(journal)
    with database.write() as connection:
        connection.execute(delete(table).where(table.c.number >= 4))
    with pytest.raises(JournalError, match="journal entry 4: the end of the journal was cut off"):
        journal.verify()


def test_writers_at_once_make_one_chain(journal):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: journal.append("identify", {"i": i}), range(40)))
    assert journal.verify().entries == 40
    assert sorted(e.details["i"] for e in journal.entries(limit=50)) == list(range(40))


def test_an_entry_belongs_to_its_transaction(database, journal):
    with pytest.raises(RuntimeError), database.write() as connection:
        journal.append("mark", {}, connection=connection)
        raise RuntimeError
    assert journal.verify().entries == 0
    with database.write() as connection:
        journal.append("mark", {}, connection=connection)
    assert journal.verify().entries == 1


def test_old_entries_are_pruned_and_the_rest_verifies(journal):
    made = filled(journal)
    assert journal.prune(NOON + timedelta(hours=3)) == 3
    assert journal.verify() == (3, 3, made[-1].hash)
    assert journal.prune(NOON) == 0
    assert journal.prune(NOON + timedelta(days=9)) == 3
    after = journal.append("identify", {})
    assert (after.number, after.previous_hash) == (6, made[-1].hash)
    assert journal.verify() == (1, 6, after.hash)


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ({"picture": b"\xff\xd8"}, "never a picture"),
        ({"score": float("nan")}, "journal"),
        ({"text": "x" * 9000}, "9012 characters"),
    ],
)
def test_pictures_and_what_is_no_json_are_refused(journal, details, says):
    with pytest.raises(InvalidError, match=says):
        journal.append("identify", details)
    with pytest.raises(InvalidError, match="no identifier"):
        journal.append("two words", {})
    assert journal.verify().entries == 0

from datetime import timedelta

import pytest
from sqlalchemy import select

from facegate.serving.store import InvalidError, NotFoundError, Role, StoreError
from facegate.serving.store.columns import utc_now
from facegate.serving.store.schema import api_keys


def test_a_key_opens_what_its_role_may(keys):
    made = keys.create(Role.OPERATOR, "office")
    found = keys.authenticate(made.secret)
    assert (found.id, found.role, found.label) == (made.key.id, Role.OPERATOR, "office")
    assert [found.role.allows(role) for role in Role] == [True, True, False]


def test_only_a_digest_is_stored_and_nothing_is_shown(keys, database):
    made = keys.create(Role.ADMIN, "me")
    part = made.secret.split("_", 2)[2]
    assert len(part) == 43
    with database.read() as connection:
        row = connection.execute(select(api_keys)).one()
    assert part not in str(row)
    assert part not in repr(made)


def test_what_is_no_key_opens_nothing(keys):
    made = keys.create(Role.KIOSK, "door")
    other = keys.create(Role.KIOSK, "back door")
    prefix = made.secret[: len("fg_") + 17]
    for wrong in (
        *("", "fg_", made.secret[:-1], made.secret + "A", " " + made.secret, made.secret.upper()),
        *(
            prefix + other.secret[len(prefix) :],
            made.secret + "\n",
            "fg_" + "0" * 16 + "_" + "A" * 43,
            "é" * 63,
        ),
    ):
        assert keys.authenticate(wrong) is None
    assert keys.authenticate(made.secret) is not None


def test_a_revoked_key_opens_nothing_at_once(keys):
    made = keys.create(Role.KIOSK, "door")
    keys.revoke(made.key.id)
    assert keys.authenticate(made.secret) is None
    since = keys.all()[0].revoked_at
    keys.revoke(made.key.id)
    assert keys.all()[0].revoked_at == since
    with pytest.raises(NotFoundError, match="no API key `none`"):
        keys.revoke("none")


def test_the_last_use_is_noted_once_a_minute(keys):
    made, now = keys.create(Role.KIOSK, "door"), utc_now()
    assert keys.all()[0].last_used_at is None
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (61, 60)):
        keys.authenticate(made.secret, now + timedelta(seconds=seconds))
        assert keys.all()[0].last_used_at == now + timedelta(seconds=noted)


def test_a_key_needs_a_label(keys):
    with pytest.raises(InvalidError, match="label has 0 characters"):
        keys.create(Role.KIOSK, "")
    assert keys.all() == []


def test_a_database_that_cannot_be_written_still_lets_holders_in(keys, database, monkeypatch):
    made = keys.create(Role.KIOSK, "door")

    def full():
        raise StoreError("the disk is full")

    monkeypatch.setattr(database, "write", full)
    assert keys.authenticate(made.secret) is not None

"""API keys: who may do what.

A key is 256 random bits, so its SHA-256 is as good a secret as the key itself: there is no dictionary to try, and a
slow password hash would only slow down every request. The public part of a key finds its row; the secret part is
compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update

from facegate.serving.store.columns import checked_text, utc_now
from facegate.serving.store.database import Database
from facegate.serving.store.errors import NotFoundError, StoreError
from facegate.serving.store.schema import api_keys

_KEY = re.compile(r"fg_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NOTED_EVERY = timedelta(minutes=1)
_NOBODY = hashlib.sha256(b"").hexdigest()


class Role(StrEnum):
    """What the holder of a key may do; each role may do what those before it may."""

    KIOSK = "kiosk"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: "Role") -> bool:
        """Whether this role may do what needs another one."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class ApiKey:
    """A key, without its secret.

    Attributes:
        id: public part.
        label: what it is for.
        role: what its holder may do.
        created_at: when it was made.
        last_used_at: to the minute; None if never.
        revoked_at: since when it is void; None if it is good.
    """

    id: str
    label: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class NewKey:
    """A key that was just made.

    Attributes:
        secret: what the holder sends; shown once and never stored.
        key: the rest.
    """

    secret: str
    key: ApiKey

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r})"


class Keys:
    """The keys of a database.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, role: Role, label: str) -> NewKey:
        """Make a key.

        Raises:
            InvalidError: the label is empty or too long.
        """
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = {"id": id_, "label": checked_text(label, "label"), "role": str(Role(role))}
        row |= {"digest": _digest(secret), "created_at": utc_now()}
        with self.database.write() as connection:
            connection.execute(insert(api_keys).values(row))
            made = connection.execute(select(api_keys).where(api_keys.c.id == id_)).one()
        return NewKey(f"fg_{id_}_{secret}", _key(made))

    def authenticate(self, secret: str, now: datetime | None = None) -> ApiKey | None:
        """The key that a secret belongs to; None if there is none or it was revoked."""
        form = _KEY.fullmatch(secret)
        id_, part = form.groups() if form else ("", "")
        with self.database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == id_)).one_or_none()
        same = hmac.compare_digest(_digest(part), row.digest if row else _NOBODY)
        if row is None or not same or row.revoked_at is not None:
            return None
        return self._note(_key(row), now or utc_now())

    def _note(self, key: ApiKey, now: datetime) -> ApiKey:
        """Write down the use, at most once a minute; a full disk must not lock everybody out."""
        if key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY:
            with suppress(StoreError), self.database.write() as connection:
                where = api_keys.c.id == key.id
                connection.execute(update(api_keys).where(where).values(last_used_at=now))
        return key

    def revoke(self, id_: str) -> None:
        """Make a key void at once; doing it twice does no harm.

        Raises:
            NotFoundError: there is no such key.
        """
        with self.database.write() as connection:
            if connection.execute(select(api_keys.c.id).where(api_keys.c.id == id_)).first() is None:
                raise NotFoundError(f"no API key `{id_[:80]}`", "look it up in the list of keys")
            good = (api_keys.c.id == id_) & api_keys.c.revoked_at.is_(None)
            connection.execute(update(api_keys).where(good).values(revoked_at=utc_now()))

    def all(self) -> list[ApiKey]:
        """All keys, oldest first, revoked ones too."""
        with self.database.read() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
            return [_key(row) for row in rows]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    times = (row.created_at, row.last_used_at, row.revoked_at)
    return ApiKey(row.id, row.label, Role(row.role), *times)

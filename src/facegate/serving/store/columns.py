"""Column types and checks shared by the tables."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, Text
from sqlalchemy.types import TypeDecorator

from facegate.serving.store.errors import InvalidError

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A row number; SQLite numbers rows by itself only in a column of the type INTEGER."""

SortText = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts alike, by code point, in both databases."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAME_LENGTH = 200


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, kept in UTC; times without a zone are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To UTC; SQLite keeps no zone."""
        if value is None:
            return None
        value = to_utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Back to UTC, whatever zone the server speaks."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def to_utc(value: datetime) -> datetime:
    """The same time in UTC.

    Raises:
        InvalidError: it has no zone, or lies at the end of all times.
    """
    if value.tzinfo is None:
        raise InvalidError(f"time {value.isoformat()} has no zone", "give one, for instance +00:00")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidError(f"time {value.isoformat()} is out of range", "give one of this age") from error


def checked_id(value: str, what: str) -> str:
    """An identifier that is safe in a URL, a file name and a CSV cell.

    Raises:
        InvalidError: it is not 1 to 64 letters, digits, dots, dashes and underscores.
    """
    if not _IDENTIFIER.fullmatch(value):
        raise InvalidError(
            f"{what} {value[:80]!r} is no identifier",
            "use 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
        )
    return value


def checked_text(value: str, what: str, longest: int = _NAME_LENGTH) -> str:
    """A line of text without surrounding space, in composed form (NFC).

    Raises:
        InvalidError: it is empty, too long, or holds control characters.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if not 0 < len(text) <= longest:
        raise InvalidError(f"{what} has {len(text)} characters", f"give it 1 to {longest}")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise InvalidError(f"{what} {text[:80]!r} holds a control character", "leave it out")
    return text


def sort_key(name: str) -> str:
    """What a name is sorted and searched by: without case and accents."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))

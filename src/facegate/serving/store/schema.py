"""The tables as the code sees them; ``migrations/`` is how a database comes to have them (a test compares both)."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from facegate.serving.store.columns import RowId, SortText, UtcDateTime

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

counters = Table(
    "counters",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

persons = Table(
    "persons",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("sort_key", SortText, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("keep_until", UtcDateTime, index=True),
)

crops = Table(
    "crops",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("key_id", String(32), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
)

templates = Table(
    "templates",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("crop_id", ForeignKey("crops.id", ondelete="SET NULL"), index=True),
    Column("model", String(64), nullable=False),
    Column("quality", Float),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("key_id", String(32), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "model", "revision"),
)

removals = Table(
    "removals",
    METADATA,
    Column("template_id", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("removed_at", UtcDateTime, nullable=False, index=True),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False, index=True),
    Column("ends_at", UtcDateTime),
)

marks = Table(
    "marks",
    METADATA,
    Column("id", RowId, primary_key=True),
    Column("person_id", String(64), nullable=False),
    Column("session_id", ForeignKey("sessions.id")),
    Column("first_seen", UtcDateTime, nullable=False, index=True),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("camera", String(64), nullable=False),
    Column("sightings", Integer, nullable=False),
    Column("score", Float),
    Column("corrected", Boolean, nullable=False),
    Column("void", Boolean, nullable=False),
    Index(None, "person_id", "first_seen"),
    sqlite_autoincrement=True,
)

corrections = Table(
    "corrections",
    METADATA,
    Column("id", RowId, primary_key=True),
    Column("mark_id", RowId, nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    sqlite_autoincrement=True,
)

unknowns = Table(
    "unknowns",
    METADATA,
    Column("hour", UtcDateTime, primary_key=True),
    Column("camera", String(64), primary_key=True),
    Column("session_id", String(64), primary_key=True),
    Column("seen", Integer, nullable=False),
)

journal = Table(
    "journal",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

journal_ends = Table(
    "journal_ends",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

api_keys = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("label", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

"""Persons with their templates, attendance, journal and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

START = "0" * 64
MOMENT = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORT_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create everything."""
    _people()
    _attendance()
    _journal()
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )


def _people() -> None:
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    names = ("gallery_revision", "gallery_rows", "gallery_pruned")
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in names])
    op.create_table(
        "persons",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_key", SORT_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("keep_until", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
    )
    op.create_table(
        "crops",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crops"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], "fk_crops_person_id", ondelete="CASCADE"),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("crop_id", sa.BigInteger()),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("quality", sa.Float()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], "fk_templates_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["crop_id"], ["crops.id"], "fk_templates_crop_id", ondelete="SET NULL"),
    )
    op.create_table(
        "removals",
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("template_id", name="pk_removals"),
    )
    for table, *columns in (
        ("persons", "sort_key"),
        ("persons", "keep_until"),
        ("crops", "person_id"),
        ("crops", "created_at"),
        ("crops", "key_id"),
        ("templates", "person_id"),
        ("templates", "crop_id"),
        ("templates", "key_id"),
        ("templates", "model", "revision"),
        ("removals", "revision"),
        ("removals", "removed_at"),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def _attendance() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_table(
        "marks",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64)),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], "fk_marks_session_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "corrections",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True),
        sa.Column("mark_id", ROW_ID, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "unknowns",
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "camera", "session_id", name="pk_unknowns"),
    )
    op.create_index("ix_sessions_starts_at", "sessions", ["starts_at"])
    op.create_index("ix_marks_first_seen", "marks", ["first_seen"])
    op.create_index("ix_marks_person_id_first_seen", "marks", ["person_id", "first_seen"])
    op.create_index("ix_corrections_mark_id", "corrections", ["mark_id"])


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal"),
    )
    ends = op.create_table(
        "journal_ends",
        sa.Column("name", sa.String(8), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_journal_ends"),
    )
    op.bulk_insert(ends, [{"name": name, "number": -1, "hash": START} for name in ("start", "head")])

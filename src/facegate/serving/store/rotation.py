"""Seal everything by the newest key, so that an older one can be thrown away."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Table, bindparam, func, select, update

from facegate.serving.store.database import Database
from facegate.serving.store.rows import crop_context, template_context
from facegate.serving.store.schema import crops, templates
from facegate.serving.store.vault import Sealed, Vault

_PIECE = 500


class Rotated(NamedTuple):
    """What a rotation did.

    Attributes:
        templates: sealed anew.
        crops: sealed anew.
    """

    templates: int
    crops: int


def rotate(database: Database, vault: Vault) -> Rotated:
    """Seal every row of an older key by the newest; may be stopped at any time and called again.

    Raises:
        VaultError: an older key is missing, or a row was changed; the rows before it are done.
        StoreError: the database is out of reach.
    """
    done = Rotated(*(_rotate(database, vault, table) for table in (templates, crops)))
    database.scrub()
    return done


def key_counts(database: Database) -> dict[str, int]:
    """Number of rows sealed by each key; a key that is not named may be thrown away."""
    counts: dict[str, int] = {}
    with database.read() as connection:
        for table in (templates, crops):
            wanted = select(table.c.key_id, func.count()).group_by(table.c.key_id)
            for key, count in connection.execute(wanted):
                counts[key] = counts.get(key, 0) + count
    return dict(sorted(counts.items()))


def _rotate(database: Database, vault: Vault, table: Table) -> int:
    done = 0
    while True:
        with database.write() as connection:
            rows = _old(connection, table, vault.key_id)
            if not rows:
                return done
            changes = [_sealed_anew(row, vault, table) for row in rows]
            new = {"key_id": bindparam("new_key"), "sealed": bindparam("new_data")}
            connection.execute(update(table).where(table.c.id == bindparam("row")).values(new), changes)
        done += len(rows)


def _old(connection: Connection, table: Table, key: str) -> list[Row[Any]]:
    wanted = select(table).where(table.c.key_id != key).order_by(table.c.id).limit(_PIECE)
    return list(connection.execute(wanted.with_for_update()))


def _sealed_anew(row: Row[Any], vault: Vault, table: Table) -> dict[str, Any]:
    context = crop_context(row.person_id, row.id)
    if table is templates:
        context = template_context(row.person_id, row.model, row.id)
    sealed = vault.seal(vault.open(Sealed(row.key_id, row.sealed), *context), *context)
    return {"row": row.id, "new_key": sealed.key_id, "new_data": sealed.data}

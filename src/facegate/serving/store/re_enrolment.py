"""A new recogniser makes old templates useless: make new ones from kept crops, and say who must come again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, and_, func, select

from facegate.serving.store.columns import utc_now
from facegate.serving.store.database import Database, advance
from facegate.serving.store.rows import (
    REVISION,
    Crop,
    Pictures,
    TemplateModel,
    add_templates,
    crop_context,
    decode_crop,
    unit,
)
from facegate.serving.store.schema import crops, persons, templates
from facegate.serving.store.vault import Sealed, Vault

Embed = Callable[[list[Crop]], NDArray[np.floating]]
_PIECE = 32


@dataclass(frozen=True)
class Waiting:
    """A person whom a model does not know yet.

    Attributes:
        person_id: identifier.
        name: as shown.
        crops: kept crops; with none, the person must come again.
    """

    person_id: str
    name: str
    crops: int


@dataclass(frozen=True)
class Progress:
    """What a re-enrolment did.

    Attributes:
        made: templates made.
        failed: crops of which the model gave no number.
    """

    made: int
    failed: int


def waiting(connection: Connection, model: str) -> list[Waiting]:
    """Persons without a template of a model, by name."""
    known = select(templates.c.id).where(templates.c.person_id == persons.c.id, templates.c.model == model)
    kept = select(func.count()).where(crops.c.person_id == persons.c.id).scalar_subquery()
    wanted = select(persons.c.id, persons.c.name, kept).where(~known.exists())
    rows = connection.execute(wanted.order_by(persons.c.sort_key, persons.c.id))
    return [Waiting(id_, name, count) for id_, name, count in rows]


def re_enrol(database: Database, vault: Vault, model: TemplateModel, embed: Embed) -> Progress:
    """Make a template of every kept crop that has none of this model, a piece a transaction."""
    made = failed = 0
    for rows in _pieces(database, model):
        pictures = [
            decode_crop(vault.open(Sealed(row.key_id, row.sealed), *crop_context(row.person_id, row.id)))
            for row in rows
        ]
        vectors = np.asarray(embed(pictures), np.float32)
        good = np.isfinite(vectors).all(axis=1) & (np.linalg.norm(vectors, axis=1) > 0)
        failed += int((~good).sum())
        kept = [row for row, ok in zip(rows, good.tolist(), strict=True) if ok]
        if kept:
            made += _add(database, vault, model, kept, unit(vectors[good], model.size))
    return Progress(made, failed)


def _pieces(database: Database, model: TemplateModel) -> Iterator[Sequence[Row[Any]]]:
    """Crops without a template of the model, in the order of their numbers, each at most once."""
    last = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(_open_crops(model).where(crops.c.id > last).limit(_PIECE)).all()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _open_crops(model: TemplateModel) -> Any:
    made = and_(templates.c.crop_id == crops.c.id, templates.c.model == model.digest)
    wanted = select(crops.c.id, crops.c.person_id, crops.c.key_id, crops.c.sealed)
    return wanted.where(~select(templates.c.id).where(made).exists()).order_by(crops.c.id)


def _add(
    database: Database,
    vault: Vault,
    model: TemplateModel,
    rows: Sequence[Row[Any]],
    vectors: NDArray[np.float32],
) -> int:
    """Keep the templates of crops that are still there and still have none."""
    made = 0
    with database.write() as connection:
        revision = advance(connection, REVISION)  # from here on no other worker changes the gallery
        still = _open_crops(model).where(crops.c.id.in_([row.id for row in rows]))
        ids = {row.id for row in connection.execute(still)}
        for row, vector in zip(rows, vectors, strict=True):
            if row.id in ids:
                pictures = Pictures(vector[None], (), [None])
                where = {"now": utc_now(), "revision": revision, "crop_ids": [row.id]}
                add_templates(connection, vault, model, row.person_id, pictures, **where)
                made += 1
    return made

"""Persons as rows: who is enrolled, without their templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, delete, false, func, insert, literal, select

from facegate.serving.store.columns import UtcDateTime, sort_key, utc_now
from facegate.serving.store.database import advance
from facegate.serving.store.errors import InvalidError, NotFoundError
from facegate.serving.store.rows import REVISION
from facegate.serving.store.schema import corrections, crops, marks, persons, removals, templates

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Person:
    """Somebody who is enrolled.

    Attributes:
        id: identifier; in URLs, journal and attendance.
        name: as shown.
        created_at: enrolled.
        updated_at: last changed.
        keep_until: when `purge` deletes the person; None for never.
        templates: number of templates of the gallery's model.
        crops: number of pictures kept.
    """

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    keep_until: datetime | None
    templates: int
    crops: int


@dataclass(frozen=True)
class PersonPage:
    """A page of persons, by name.

    Attributes:
        persons: those of this page.
        total: number on all pages.
        page: its number, from 1.
        size: most persons on a page.
    """

    persons: tuple[Person, ...]
    total: int
    page: int
    size: int


def get_person(connection: Connection, model: str, id_: str) -> Person:
    """One person.

    Raises:
        NotFoundError: there is none of that identifier.
    """
    row = connection.execute(_columns(model).where(persons.c.id == id_)).one_or_none()
    if row is None:
        raise unknown_person(id_)
    return Person(**row._mapping)


def get_page(connection: Connection, model: str, page: int, size: int, search: str) -> PersonPage:
    """A page of the persons whose name or identifier holds the search text.

    Raises:
        InvalidError: there cannot be such a page.
    """
    if page < 1 or not 1 <= size <= LARGEST_PAGE:
        raise InvalidError(f"page {page} of {size} persons", f"ask for page ≥ 1 of 1 to {LARGEST_PAGE}")
    found = _matching(search)
    total = connection.execute(select(func.count()).select_from(persons).where(*found)).scalar_one()
    wanted = _columns(model).where(*found).order_by(persons.c.sort_key, persons.c.id)
    rows = connection.execute(wanted.limit(size).offset((page - 1) * size))
    return PersonPage(tuple(Person(**row._mapping) for row in rows), total, page, size)


def lock_person(connection: Connection, id_: str) -> None:
    """Make others who would change this person wait.

    Raises:
        NotFoundError: there is none of that identifier.
    """
    wanted = select(persons.c.id).where(persons.c.id == id_).with_for_update()
    if connection.execute(wanted).one_or_none() is None:
        raise unknown_person(id_)


def remove_person(connection: Connection, id_: str, *, keep_attendance: bool) -> None:
    """Delete a person, and note the templates that other workers must forget.

    Raises:
        NotFoundError: there is none of that identifier.
    """
    revision = advance(connection, REVISION)
    lock_person(connection, id_)
    gone = select(templates.c.id, literal(revision), literal(utc_now(), UtcDateTime))
    columns = ["template_id", "revision", "removed_at"]
    connection.execute(insert(removals).from_select(columns, gone.where(templates.c.person_id == id_)))
    connection.execute(delete(persons).where(persons.c.id == id_))
    if not keep_attendance:
        of_person = select(marks.c.id).where(marks.c.person_id == id_)
        connection.execute(delete(corrections).where(corrections.c.mark_id.in_(of_person)))
        connection.execute(delete(marks).where(marks.c.person_id == id_))


def unknown_person(id_: str) -> NotFoundError:
    """The error for an identifier that nobody has."""
    return NotFoundError(
        f"no person `{id_[:80]}` is enrolled", "look the identifier up in the list of persons"
    )


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search.strip():
        return []
    if "\0" in search:
        return [false()]
    by_name = persons.c.sort_key.contains(sort_key(search.strip()), autoescape=True)
    return [by_name | persons.c.id.contains(search.strip(), autoescape=True)]


def _columns(model: str) -> Any:
    of_model = select(func.count()).where(templates.c.person_id == persons.c.id, templates.c.model == model)
    kept = select(func.count()).where(crops.c.person_id == persons.c.id)
    columns = [c for c in persons.c if c.name != "sort_key"]
    return select(*columns, _as(of_model, "templates"), _as(kept, "crops"))


def _as(query: Any, name: str) -> Any:
    scalar: ScalarSelect[int] = query.scalar_subquery()
    return scalar.label(name)

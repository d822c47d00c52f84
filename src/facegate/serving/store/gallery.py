"""Whom the engine knows: the truth in the database, the search in memory.

Every change raises a revision in the same transaction, so its order is the order of the commits; each worker follows
by asking for what came after the revision that it has seen.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from facegate.runtime.engine import Match
from facegate.runtime.models import mean_direction
from facegate.serving.store import people
from facegate.serving.store.columns import checked_id, checked_text, sort_key, to_utc, utc_now
from facegate.serving.store.database import Database, advance
from facegate.serving.store.errors import ConflictError
from facegate.serving.store.memory import Memory
from facegate.serving.store.people import Person, PersonPage
from facegate.serving.store.re_enrolment import Embed, Progress, Waiting, re_enrol, waiting
from facegate.serving.store.retention import purge_gallery
from facegate.serving.store.rows import (
    REVISION,
    Crop,
    Pictures,
    TemplateModel,
    add_pictures,
    load_person,
    unit,
)
from facegate.serving.store.schema import persons
from facegate.serving.store.vault import Vault


class Gallery:
    """The enrolled persons, as one recogniser sees them; threads may share it.

    Args:
        database: where they are kept.
        vault: seals their templates.
        model: whose templates are searched; those of other models stay untouched in the database.

    Raises:
        StoreError: the database is out of reach.
        VaultError: a template does not open.
    """

    def __init__(self, database: Database, vault: Vault, model: TemplateModel) -> None:
        self.database = database
        self.vault = vault
        self.model = model
        self._memory = Memory(database, vault, model)
        self.refresh()

    def __len__(self) -> int:
        return len(self._memory)

    @property
    def damaged(self) -> tuple[int, ...]:
        """Rows of templates that were changed or moved in the database; they are left out of the search."""
        return self._memory.damaged

    def refresh(self) -> bool:
        """Follow what other workers changed; cheap if nothing was. True if something was.

        Raises:
            StoreError: the database is out of reach; the search goes on with what is known.
            VaultError: a new template does not open.
        """
        return self._memory.refresh()

    def search(self, embedding: NDArray[np.float32]) -> Match | None:
        """The person most alike; None if nobody is enrolled.

        Args:
            embedding: shape (size,).

        Raises:
            InvalidError: it is not of this model, or no number.
        """
        return next(iter(self.candidates(embedding, count=1)), None)

    def candidates(self, embedding: NDArray[np.float32], *, count: int = 5) -> list[Match]:
        """The persons most alike, best first, each by the cosine with the mean of the person's templates.

        Raises:
            InvalidError: the embedding is not of this model, or no number.
        """
        return self._memory.search(unit(embedding, self.model.size)[0], count)

    def duplicates(
        self, embedding: NDArray[np.float32], threshold: float, *, count: int = 5, besides: str | None = None
    ) -> list[Match]:
        """Persons, other than one, who may be the same person as an embedding's.

        Args:
            embedding: shape (size,).
            threshold: score from which on they may be.
            count: most candidates.
            besides: person who does not count.
        """
        found = self.candidates(embedding, count=count + 1)
        return [m for m in found if m.score >= threshold and m.person != besides][:count]

    def compare(self, person_id: str, embedding: NDArray[np.float32]) -> float | None:
        """Cosine with the mean of one person's templates (1:1); None if there are none of this model.

        Raises:
            NotFoundError: there is no such person.
        """
        probe = unit(embedding, self.model.size)[0]
        with self.database.read() as connection:
            people.get_person(connection, self.model.digest, person_id)
            known = load_person(connection, self.vault, self.model, person_id)
        if not len(known.vectors):
            return None
        return float(mean_direction(known.vectors.sum(axis=0, keepdims=True))[0] @ probe)

    def enrol(
        self,
        *,
        name: str,
        templates: NDArray[np.floating],
        person_id: str | None = None,
        crops: Sequence[Crop] | None = None,
        qualities: Sequence[float | None] | None = None,
        keep_until: datetime | None = None,
    ) -> Person:
        """Enrol a new person; on the disk, or not at all, when this returns.

        Args:
            name: as shown, 1 to 200 characters.
            templates: embeddings, shape (n, size) with n ≥ 1; brought to unit length.
            person_id: identifier; a random one by default, which says nothing about the person.
            crops: aligned crops to keep, one a template, RGB; None keeps none.
            qualities: quality of each picture, 0 to 1.
            keep_until: when `purge` deletes the person.

        Raises:
            ConflictError: the identifier is taken.
            InvalidError: a value makes no sense.
        """
        id_ = checked_id(person_id or secrets.token_hex(8), "person")
        name = checked_text(name, "name")
        pictures = Pictures.checked(unit(templates, self.model.size), crops, qualities)
        now = utc_now()
        values = {"id": id_, "name": name, "sort_key": sort_key(name), "created_at": now, "updated_at": now}
        values["keep_until"] = to_utc(keep_until) if keep_until else None
        with self.database.write() as connection:
            revision = advance(connection, REVISION)
            try:
                connection.execute(insert(persons).values(values))
            except IntegrityError as error:
                raise ConflictError(
                    f"person `{id_}` is enrolled already",
                    "add pictures to that person, or choose another one",
                ) from error
            add_pictures(connection, self.vault, self.model, id_, pictures, now=now, revision=revision)
            person = people.get_person(connection, self.model.digest, id_)
        self.refresh()
        return person

    def add_templates(
        self,
        person_id: str,
        *,
        templates: NDArray[np.floating],
        crops: Sequence[Crop] | None = None,
        qualities: Sequence[float | None] | None = None,
    ) -> Person:
        """Add pictures to a person; arguments as for `enrol`.

        Raises:
            NotFoundError: there is no such person.
            InvalidError: a value makes no sense.
        """
        pictures = Pictures.checked(unit(templates, self.model.size), crops, qualities)
        now = utc_now()
        with self.database.write() as connection:
            revision = advance(connection, REVISION)
            people.lock_person(connection, person_id)
            add_pictures(connection, self.vault, self.model, person_id, pictures, now=now, revision=revision)
            connection.execute(update(persons).where(persons.c.id == person_id).values(updated_at=now))
            person = people.get_person(connection, self.model.digest, person_id)
        self.refresh()
        return person

    def person(self, person_id: str) -> Person:
        """One person.

        Raises:
            NotFoundError: there is no such person.
        """
        with self.database.read() as connection:
            return people.get_person(connection, self.model.digest, person_id)

    def persons(self, *, page: int = 1, size: int = 50, search: str = "") -> PersonPage:
        """A page of the persons, by name; `search` looks into names and identifiers."""
        with self.database.read() as connection:
            return people.get_page(connection, self.model.digest, page, size, search)

    def rename(self, person_id: str, name: str) -> Person:
        """Give a person another name.

        Raises:
            NotFoundError: there is no such person.
        """
        name = checked_text(name, "name")
        return self._change(person_id, name=name, sort_key=sort_key(name))

    def keep_until(self, person_id: str, until: datetime | None) -> Person:
        """Say when `purge` is to delete a person; None for never.

        Raises:
            NotFoundError: there is no such person.
        """
        return self._change(person_id, keep_until=to_utc(until) if until else None)

    def _change(self, person_id: str, **values: object) -> Person:
        with self.database.write() as connection:
            people.lock_person(connection, person_id)
            where = persons.c.id == person_id
            connection.execute(update(persons).where(where).values(updated_at=utc_now(), **values))
            return people.get_person(connection, self.model.digest, person_id)

    def delete(self, person_id: str, *, keep_attendance: bool = False) -> None:
        """Delete a person: templates of all models, crops, and attendance unless it is to be kept.

        Nothing is left that could be restored from the database's own files (see docs/gallery.md for PostgreSQL
        and backups). Kept attendance shows the identifier, no name.

        Raises:
            NotFoundError: there is no such person.
        """
        with self.database.write() as connection:
            people.remove_person(connection, person_id, keep_attendance=keep_attendance)
        self.refresh()
        self.database.scrub()

    def re_enrol_list(self, model: TemplateModel | None = None) -> list[Waiting]:
        """Persons who have no template of a model (this one by default), and how many crops are kept of each."""
        with self.database.read() as connection:
            return waiting(connection, (model or self.model).digest)

    def re_enrol(self, embed: Embed) -> Progress:
        """Make templates of this model from kept crops; may be stopped and called again, by several workers too.

        Args:
            embed: crops (RGB) to embeddings, shape (n, size).
        """
        progress = re_enrol(self.database, self.vault, self.model, embed)
        self.refresh()
        return progress

    def purge(self, now: datetime | None = None, *, crop_days: int | None = None) -> int:
        """Delete the persons whose time is over, and old crops.

        Args:
            now: the time; the present by default.
            crop_days: how long crops are kept; None keeps them as long as the person.

        Returns:
            Number of persons deleted.
        """
        gone = purge_gallery(self.database, to_utc(now or utc_now()), crop_days)
        self.refresh()
        return gone

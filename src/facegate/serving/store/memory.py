"""The part of a gallery that is searched, kept in step with the database.

A person is searched as one vector: the mean of the templates of all pictures, at unit length. On held-out people that
tells persons apart better than the best of the templates does (docs/gallery.md), and takes less room.
"""

import logging
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from facegate.runtime.engine import Match
from facegate.runtime.models import mean_direction
from facegate.serving.store.database import Database
from facegate.serving.store.errors import VaultError
from facegate.serving.store.index import Index, Vectors
from facegate.serving.store.rows import REVISION, Loaded, TemplateModel, load_templates
from facegate.serving.store.schema import counters, removals
from facegate.serving.store.vault import Vault

_LOG = logging.getLogger(__name__)

PRUNED = "gallery_pruned"
"""Counter: removals up to this revision are no longer listed."""

_UNSURE = -1  # a change was taken over in part: read everything anew next time


class _Total(NamedTuple):
    """All templates of one person.

    Attributes:
        key: number of the newest of them, under which the person stands in the index.
        vector: their sum, shape (size,).
    """

    key: int
    vector: Vectors


@dataclass
class _View:
    """Index, whose templates there are, and their sums by person, that belong together."""

    index: Index
    owners: dict[int, str] = field(default_factory=dict)
    totals: dict[str, _Total] = field(default_factory=dict)
    revision: int = 0
    damaged: list[int] = field(default_factory=list)


class Memory:
    """Persons of one model in memory; its length is the number of templates.

    Args:
        database: where they come from.
        vault: opens them.
        model: whose templates.
    """

    def __init__(self, database: Database, vault: Vault, model: TemplateModel) -> None:
        self._database, self._vault, self._model = database, vault, model
        self._lock = threading.Lock()
        self._view = _View(Index(model.size))

    def __len__(self) -> int:
        return len(self._view.owners)

    @property
    def damaged(self) -> tuple[int, ...]:
        """Rows of templates that were changed or moved, and are left out."""
        return tuple(self._view.damaged)

    def refresh(self) -> bool:
        """Take over what was changed since the last time; True if anything was."""
        with self._lock, self._database.read() as connection:
            revision, pruned = _counters(connection)
            view = self._view
            if revision == view.revision:
                return False
            if not pruned <= view.revision < revision:  # too far behind, or a backup was restored
                view = _View(Index(self._model.size), revision=0)
            try:
                self._follow(connection, view, revision)
            except BaseException:
                self._view.revision = _UNSURE
                raise
            self._view = view
        return True

    def _follow(self, connection: Connection, view: _View, revision: int) -> None:
        gone = select(removals.c.template_id).where(
            removals.c.revision > view.revision, removals.c.revision <= revision
        )
        ids = connection.execute(gone).scalars() if view.owners else ()
        # templates go with their person
        persons = {view.owners.pop(id_) for id_ in ids if id_ in view.owners}
        view.index.remove([view.totals.pop(person).key for person in persons])
        for loaded in load_templates(connection, self._vault, self._model, view.revision, revision):
            _take_over(view, loaded)
            self._skip(view, loaded.damaged)
        view.revision = revision

    def _skip(self, view: _View, damaged: list[int]) -> None:
        """One row that was tampered with must not shut the door for everybody; all of them must."""
        if not damaged:
            return
        view.damaged += damaged
        if not view.owners:
            raise VaultError(
                f"no template of the model {self._model.name} opens; the first is row {damaged[0]}",
                "use the keys that this database was sealed by, or restore both from one backup",
            )
        _LOG.warning(
            "templates %s do not open and are left out; delete and enrol these persons again", damaged
        )

    def search(self, probe: Vectors, count: int) -> list[Match]:
        """The persons most alike, best first."""
        view = self._view
        wanted = 2 * count  # a person who is changing may stand there twice
        while True:
            best: dict[str, float] = {}
            for hit in view.index.search(probe, wanted):
                person = view.owners.get(hit.key)
                if person is not None:  # else deleted since
                    best.setdefault(person, hit.score)
            if len(best) >= count or wanted >= len(view.index):
                return [Match(person, score) for person, score in list(best.items())[:count]]
            wanted *= 4


def _take_over(view: _View, loaded: Loaded) -> None:
    """Add templates to their persons, who can be found all the while."""
    persons, of = np.unique(np.array(loaded.persons, dtype=object), return_inverse=True)
    sums = np.zeros((len(persons), loaded.vectors.shape[1]), np.float32)
    np.add.at(sums, of, loaded.vectors)
    keys = np.zeros(len(persons), np.int64)
    np.maximum.at(keys, of, loaded.ids)
    replaced = []
    for row, person in enumerate(persons.tolist()):
        before = view.totals.get(person)
        if before is not None:
            sums[row] += before.vector
            replaced.append(before.key)
        view.totals[person] = _Total(int(keys[row]), sums[row])
    view.owners.update(zip(loaded.ids.tolist(), loaded.persons, strict=True))
    order = np.argsort(keys)  # as they were enrolled: equal galleries give equal scores to the last bit
    view.index.add(keys[order], mean_direction(sums)[order])
    view.index.remove(replaced)


def _counters(connection: Connection) -> tuple[int, int]:
    wanted = select(counters.c.name, counters.c.value).where(counters.c.name.in_((REVISION, PRUNED)))
    values = dict(row.tuple() for row in connection.execute(wanted))
    return values[REVISION], values[PRUNED]

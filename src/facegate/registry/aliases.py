"""Aliases and record change together: a journal is written first, and finished by whoever comes next.

MLflow sets one alias at a time, and a process can be killed between two. The journal holds the record's next
entry and where each alias shall point. Once it is on the disk the change has happened: :func:`recover` carries it
out, as often as need be. Without it, nothing has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from facegate.contracts import Frozen
from facegate.errors import RegistryError
from facegate.registry.quiet import MlflowException
from facegate.registry.record import Entry, append, write_durably
from facegate.registry.store import Store, store_errors

FOLDER, JOURNAL = "promotions", "journal.json"
HEAD_TAG = "promotion.head"
STAGING, PRODUCTION, PREVIOUS, SHADOW = "staging", "production", "previous", "shadow"


class Journal(Frozen):
    """A change that is to happen as a whole.

    Attributes:
        model: registered model of the releases.
        entry: the record's next entry.
        aliases: version by alias afterwards, in the order of setting; None removes the alias.
    """

    model: str
    entry: Entry
    aliases: dict[str, int | None]


@contextmanager
def exclusive(folder: Path, patience: float = 60.0) -> Iterator[None]:
    """Hold the promotion lock of a project.

    Raises:
        RegistryError: another promotion holds it for longer than `patience` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=patience):
            yield
    except Timeout as error:
        raise RegistryError(
            "another promotion or rollback is under way", "wait for it to end, look at what it did, try again"
        ) from error


def current_aliases(store: Store, model: str) -> dict[str, int]:
    """Version by alias; empty if nothing is registered."""
    try:
        found = store.client.get_registered_model(model)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        with store_errors(store.uri):
            raise
    return {alias: int(version) for alias, version in found.aliases.items()}


def commit(store: Store, folder: Path, journal: Journal) -> None:
    """Make a change happen; call with the lock held."""
    write_durably(folder / JOURNAL, journal.model_dump_json().encode())
    recover(store, folder)


def recover(store: Store, folder: Path) -> bool:
    """Finish a change whose process was killed; call with the lock held.

    Returns:
        Whether there was one.

    Raises:
        RegistryError: the journal was damaged from outside.
    """
    path = folder / JOURNAL
    if not path.exists():
        return False
    try:
        journal = Journal.model_validate_json(path.read_text())
    except ValueError as error:  # no text, or no journal
        raise RegistryError(f"{path}: was edited", "compare it with the record, then delete it") from error
    append(folder, journal.entry)
    with store_errors(store.uri):
        present = current_aliases(store, journal.model)
        for alias, version in journal.aliases.items():
            if version is not None:
                store.client.set_registered_model_alias(journal.model, alias, str(version))
            elif alias in present:
                store.client.delete_registered_model_alias(journal.model, alias)
        store.client.set_registered_model_tag(journal.model, HEAD_TAG, journal.entry.hash)
    path.unlink()
    return True

"""The promotion record: append-only, each line holding the hash of the one before.

``promotions/record.jsonl`` in the project folder, one JSON object a line. Whoever edits, drops or reorders a line
breaks the chain; whoever cuts off its end is found out by the head that the registry keeps as a tag.
"""

import json
import os
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from facegate.chain import START, entry_hash
from facegate.contracts import Frozen
from facegate.errors import RegistryError

RECORD = "record.jsonl"


class Entry(Frozen):
    """One promotion or rollback, or a release set beside production.

    Attributes:
        index: position in the record, from 0.
        time: when, ISO 8601 in UTC.
        who: login name.
        action: what was done.
        stage: alias that changed.
        release: version that it names now; None for none, which only a shadow can be.
        digest: digest of that release.
        before: version that it named before; None for none.
        profile: gate that was asked; empty where none is.
        passed: whether the gate was passed; None where none was asked.
        gate_sha256: SHA-256 of the gate's report.
        override: why the gate was overruled; empty if it was not.
        reason: why, in the words of whoever did it.
        previous_hash: hash of the entry before.
        hash: SHA-256 over all of the above.
    """

    index: int
    time: str
    who: str
    action: Literal["promote", "rollback", "shadow"]
    stage: Literal["staging", "production", "shadow"]
    release: int | None
    digest: str
    before: int | None
    profile: str = ""
    passed: bool | None = None
    gate_sha256: str = ""
    override: str = ""
    reason: str = ""
    previous_hash: str
    hash: str = ""

    def sealed(self) -> "Entry":
        """The same entry with its hash."""
        return self.model_copy(update={"hash": self.computed_hash()})

    def computed_hash(self) -> str:
        """The hash that the entry should carry."""
        return entry_hash(self.model_dump(mode="json", exclude={"hash"}))


def read_record(folder: Path) -> list[Entry]:
    """All entries, oldest first; none if nothing was ever promoted.

    Raises:
        RegistryError: the chain is broken; the line is named.
    """
    path = folder / RECORD
    if not path.exists():
        return []
    entries: list[Entry] = []
    head = START
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError as error:
            raise _broken(path, number, "it is no entry") from error
        if entry.hash != entry.computed_hash():
            raise _broken(path, number, "it was edited")
        if entry.previous_hash != head or entry.index != number - 1:
            raise _broken(path, number, "an entry before it is missing, added or out of order")
        head = entry.hash
        entries.append(entry)
    return entries


def head_of(entries: list[Entry]) -> str:
    """Hash of the newest entry."""
    return entries[-1].hash if entries else START


def append(folder: Path, entry: Entry) -> None:
    """Add an entry durably; adding one that is there already does nothing.

    A line that was cut off by a crash is dropped first: its entry is still in the journal.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.decode().splitlines()
    if not (lines and json.loads(lines[-1])["hash"] == entry.hash):
        whole += entry.model_dump_json().encode() + b"\n"
    if whole != data:
        write_durably(path, whole)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file as a whole, and have it on the disk before going on."""
    draft = path.with_name(f".{path.name}.partial")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _broken(path: Path, line: int, why: str) -> RegistryError:
    return RegistryError(
        f"{path}: line {line}: {why}", "restore the file from a backup or from git; do not edit it"
    )

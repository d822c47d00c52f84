"""Kill a writer without warning, again and again, and see whether everything it acknowledged is there, and whole.

``python -m tests.serving.store.crash --kills 100`` does so on an SQLite file, and on a PostgreSQL server of its own
if one is installed; ``--url`` names a database instead, which must be empty. Prints JSON.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import numpy as np
from sqlalchemy import func, select, text

from facegate.serving.store import Attendance, Database, Gallery, Journal, TemplateModel, Vault, new_key_line
from facegate.serving.store.schema import corrections, crops, marks, persons, templates
from tests.serving.store import postgres

MODEL = TemplateModel("c" * 64, 32)
PICTURES = 3


def write_forever(url: str, keys: str, seed: int, out: int) -> NoReturn:
    """Enrol, mark, correct, delete and log; say each on a line once it is done."""
    database, vault = Database.open(url), Vault.from_text(keys)
    gallery, attendance, journal = Gallery(database, vault, MODEL), Attendance(database), Journal(database)
    rng = np.random.default_rng(seed)
    for i in range(1_000_000):
        pictures = [rng.integers(0, 256, (8, 8, 3)).astype(np.uint8) for _ in range(PICTURES)]
        vectors = rng.standard_normal((PICTURES, MODEL.size))
        person = gallery.enrol(name=f"P{i}", templates=vectors, crops=pictures)
        _say(out, "enrolled", person.id)
        mark = attendance.mark(person.id, camera="door").mark
        _say(out, "marked", mark.id)
        entry = journal.append("mark", {"person": person.id, "mark": mark.id})
        _say(out, "logged", entry.number)
        if i % 2:
            attendance.correct(mark.id, by="op", reason="test", void=True)
            _say(out, "corrected", mark.id)
        if i % 3 == 1:
            _say(out, "deleting", person.id)
            gallery.delete(person.id, keep_attendance=True)
            _say(out, "deleted", person.id)
    sys.exit("never killed")


def _say(out: int, what: str, which: object) -> None:
    os.write(out, f"{what} {which}\n".encode())


def kill_once(url: str, keys: str, seed: int) -> list[tuple[str, str]]:
    """Start a writer, kill it at a random moment; returns what it had acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            write_forever(url, keys, seed, write)
        finally:
            os._exit(1)
    os.close(write)
    draw = random.Random(seed)
    with os.fdopen(read, "rb") as lines:
        said = [lines.readline() for _ in range(draw.randint(1, 8))]
        time.sleep(draw.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said += lines.readlines()
    if os.WTERMSIG(status) != signal.SIGKILL:
        sys.exit(f"the writer ended by itself, status {status}")
    return [tuple(line.decode().split()) for line in said]  # type: ignore[misc]


def problems(url: str, keys: str, said: set[tuple[str, str]]) -> Iterator[str]:
    """What is missing of what was acknowledged, and what is there by half."""
    database = Database.open(url)
    gone = {which for what, which in said if what == "deleted"}
    leaving = {which for what, which in said if what == "deleting"}
    enrolled = {which for what, which in said if what == "enrolled"} - leaving
    with database.read() as connection:
        there = set(connection.execute(select(persons.c.id)).scalars())
        for table in (templates, crops):
            count = select(table.c.person_id, func.count()).group_by(table.c.person_id)
            found = {row[0]: row[1] for row in connection.execute(count)}
            yield from (
                f"{who}: {found.get(who, 0)} {table.name}" for who in there if found.get(who) != PICTURES
            )
            yield from (f"{who}: {table.name} of nobody" for who in set(found) - there)
        numbers = {str(n) for n in connection.execute(select(marks.c.id)).scalars()}
        fixed = {str(n) for n in connection.execute(select(corrections.c.mark_id)).scalars()}
        void = {str(n) for n in connection.execute(select(marks.c.id).where(marks.c.void)).scalars()}
        if database.dialect == "sqlite":
            yield from (
                connection.execute(text("PRAGMA integrity_check")).scalars().all() != ["ok"] and ["damaged"]
            ) or []
    yield from (f"person {who} is lost" for who in enrolled - there)
    yield from (f"person {who} is back" for who in gone & there)
    yield from (f"mark {n} is lost" for what, n in said if what == "marked" and n not in numbers)
    yield from (f"correction of {n} is lost" for what, n in said if what == "corrected" and n not in fixed)
    yield from (f"mark {n}: corrected by half" for n in fixed ^ void)
    logged = [int(n) for what, n in said if what == "logged"]
    entries = Journal(database).verify().entries
    yield from (f"entry {n} is lost" for n in logged if n >= entries)
    gallery = Gallery(database, Vault.from_text(keys), MODEL)
    if gallery.damaged or len(gallery) != PICTURES * len(there):
        yield f"{len(gallery)} templates open, {len(gallery.damaged)} do not; {len(there)} persons"
    database.close()


def run(url: str, kills: int, seed: int = 0) -> dict[str, object]:
    """Kill that often on one database; returns counts of what was acknowledged, and all problems."""
    keys = new_key_line("k")
    said: set[tuple[str, str]] = set()
    for i in range(kills):
        said |= set(kill_once(url, keys, seed + i))
    found = list(problems(url, keys, said))
    return {"kills": kills, "acknowledged": dict(Counter(what for what, _ in said)), "problems": found}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--url", help="an empty database; by default one of each kind is made")
    given = parser.parse_args()
    report = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"given": given.url} if given.url else {"sqlite": f"sqlite:///{folder}/crash.db"}
        programs = postgres.binaries()
        if programs and not given.url:
            urls["postgresql"] = f"{stack.enter_context(postgres.server(programs))}/postgres"
        for name, url in urls.items():
            report[name] = run(url, given.kills)
    print(json.dumps(report, indent=2))
    sys.exit(any(result["problems"] for result in report.values()))


if __name__ == "__main__":
    main()

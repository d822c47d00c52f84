"""From records to a sample pack: all cores, resumable, nothing dropped in silence."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from facegate.contracts import SAMPLE_COLUMNS, nullable
from facegate.datasets.pack import PackWriter
from facegate.datasets.shards import Job, forget, run_jobs, shard_cache
from facegate.datasets.traps import lookalikes
from facegate.sources.reading import read_records
from facegate.sources.records import Record

PICTURES_PER_SHARD = 64
VIDEOS_PER_SHARD = 1

_READ_COLUMNS = (
    *(c._replace(nullable=True) for c in SAMPLE_COLUMNS),
    nullable("problem", "string", "why the file could not be used"),
    nullable("trap", "string", "which known defect it has, see TRAPS"),
    nullable("fingerprint", "binary", "perceptual hash"),
)
_OWN = ("problem", "trap", "fingerprint")


class Seen(NamedTuple):
    """What the first pass over the rows keeps of each."""

    sample_id: str
    split: str
    problem: str | None
    trap: str | None
    fingerprint: bytes | None


def pack_records(
    records: Sequence[Record],
    out: Path,
    cache: Path = Path(".cache/samples"),
    workers: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Read the files of `records` and write them as a sample pack.

    The rows pass by twice: which pictures two splits share is known only when all have been seen.

    Args:
        records: what to read, in the order of the pack.
        out: folder of the pack.
        cache: where finished shards are kept until the pack is whole.
        workers: processes; 0 for one per core. Never changes the pack.
        metadata: more to keep in the manifest.

    Returns:
        The pack's metadata: ``records`` and ``samples`` (counts), ``problems`` (sample: why it was left out),
        ``traps`` (sample: trap, of those and of samples that were kept), ``unreadable`` (count).
    """
    shards = shard_cache(cache, out.name, _digest(records), modules=["facegate.sources.reading", __name__])
    jobs = _jobs(records)
    read = partial(run_jobs, read_records, jobs, _READ_COLUMNS, shards) if jobs else (lambda *_: iter(()))
    seen = [Seen(*(row[name] for name in Seen._fields)) for row in read(workers, f"reading {out.name}")]
    dropped = _dropped(seen)
    kept = (row for number, row in enumerate(read(1)) if number not in dropped)
    with PackWriter(out, SAMPLE_COLUMNS) as writer:
        writer.write_all({name: value for name, value in row.items() if name not in _OWN} for row in kept)
        writer.metadata = {**(metadata or {}), **_account(records, seen, dropped)}
    forget(shards)
    return writer.metadata


def _dropped(seen: Sequence[Seen]) -> dict[int, str]:
    """Reason by number of the row."""
    found = {number: row.problem for number, row in enumerate(seen) if row.problem is not None}
    same = lookalikes(
        [row.sample_id for row in seen], [row.split for row in seen], [row.fingerprint or b"" for row in seen]
    )
    return found | same


def _account(records: Sequence[Record], seen: Sequence[Seen], dropped: Mapping[int, str]) -> dict[str, Any]:
    traps = {row.sample_id: row.trap for row in seen if row.trap}
    traps |= {seen[number].sample_id: "lookalike" for number in dropped if seen[number].problem is None}
    return {
        "records": len(records),
        "samples": len(seen) - len(dropped),
        "unreadable": sum(row.problem is not None for row in seen),
        "problems": {seen[number].sample_id: reason for number, reason in dropped.items()},
        "traps": traps,
    }


def _jobs(records: Sequence[Record]) -> list[Job]:
    size = VIDEOS_PER_SHARD if any(item.frames for item in records) else PICTURES_PER_SHARD
    batches = (records[start : start + size] for start in range(0, len(records), size))
    return [Job(f"{number:07d}", len(batch), batch) for number, batch in enumerate(batches)]


def _digest(records: Iterable[Record]) -> str:
    """SHA-256 over the records and the sizes and times of their files."""
    digest = hashlib.sha256()
    for item in records:
        stat = item.file.stat() if item.file.is_file() else None
        content = item.content and hashlib.sha256(item.content).hexdigest()
        state = [*item._replace(content=None), content, stat and [stat.st_size, stat.st_mtime_ns]]
        digest.update(json.dumps(state, sort_keys=True, default=str).encode())
    return digest.hexdigest()

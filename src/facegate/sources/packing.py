"""From records to a sample pack: all cores, resumable, nothing dropped in silence."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from facegate.contracts import SAMPLE_COLUMNS, nullable
from facegate.datasets.pack import PackWriter
from facegate.datasets.shards import Job, Row, forget, run_jobs, shard_cache
from facegate.sources.reading import read_records
from facegate.sources.records import Record

PICTURES_PER_SHARD = 64
VIDEOS_PER_SHARD = 1

_READ_COLUMNS = (
    *(c._replace(nullable=True) for c in SAMPLE_COLUMNS),
    nullable("problem", "string", "why the file could not be used"),
)


def pack_records(
    records: Sequence[Record],
    out: Path,
    cache: Path = Path(".cache/samples"),
    workers: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Read the files of `records` and write them as a sample pack.

    Args:
        records: what to read, in the order of the pack.
        out: folder of the pack.
        cache: where finished shards are kept until the pack is whole.
        workers: processes; 0 for one per core. Never changes the pack.
        metadata: more to keep in the manifest.

    Returns:
        The pack's metadata: ``samples``, ``unreadable`` (count) and ``problems`` (sample: reason, all of them).
    """
    shards = shard_cache(cache, out.name, _digest(records), modules=["facegate.sources.reading", __name__])
    problems: dict[str, str] = {}
    samples = 0
    with PackWriter(out, SAMPLE_COLUMNS, {**(metadata or {}), "problems": problems}) as writer:
        jobs = _jobs(records)
        rows = (
            run_jobs(read_records, jobs, _READ_COLUMNS, shards, workers, f"reading {out.name}")
            if jobs
            else ()
        )
        for row in _readable(rows, problems):
            writer.write(row)
            samples += 1
        writer.metadata |= {"samples": samples, "unreadable": len(problems)}
    forget(shards)
    return writer.metadata


def _jobs(records: Sequence[Record]) -> list[Job]:
    size = VIDEOS_PER_SHARD if any(item.frames for item in records) else PICTURES_PER_SHARD
    batches = (records[start : start + size] for start in range(0, len(records), size))
    return [Job(f"{number:07d}", len(batch), batch) for number, batch in enumerate(batches)]


def _readable(rows: Iterable[Row], problems: dict[str, str]) -> Iterator[Row]:
    for row in rows:
        if row["problem"] is None:
            yield {name: value for name, value in row.items() if name != "problem"}
        else:
            problems[row["sample_id"]] = row["problem"]


def _digest(records: Iterable[Record]) -> str:
    """SHA-256 over the records and the sizes and times of their files."""
    digest = hashlib.sha256()
    for item in records:
        stat = item.file.stat() if item.file.is_file() else None
        content = item.content and hashlib.sha256(item.content).hexdigest()
        state = [*item._replace(content=None), content, stat and [stat.st_size, stat.st_mtime_ns]]
        digest.update(json.dumps(state, sort_keys=True, default=str).encode())
    return digest.hexdigest()

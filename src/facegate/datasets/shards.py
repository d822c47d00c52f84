"""Long work on many pictures, cut into shards: all cores, the same result whatever their number, resumable.

A job becomes one small Arrow file in a cache folder that git and DVC do not track. The files appear whole or
not at all, so a run that was killed goes on where it stopped, and the caller reads them back in the order
of the jobs. The cache is named after everything its content depends on, and goes away once the pack that
it was made for is whole.
"""

import ctypes
import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import pyarrow as pa
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from facegate.contracts import Column
from facegate.datasets.pack import arrow_schema, disk_error
from facegate.errors import PackError

Row = Mapping[str, Any]
WORTH_A_POOL = 4
"""Fewer jobs than this are done in the calling process: starting others would take longer."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST_KEPT = 1 << 25  # bytes


class Job(NamedTuple):
    """One shard of work.

    Attributes:
        name: names its file; unique among the jobs.
        size: number of pictures, for the progress bar.
        task: what the work function is given; must survive pickling.
    """

    name: str
    size: int
    task: Any


def run_jobs(
    work: Callable[[Any], Iterable[Row]],
    jobs: Sequence[Job],
    columns: Sequence[Column],
    cache: Path,
    workers: int = 0,
    title: str = "",
) -> Iterator[Row]:
    """Rows of all jobs, in the order of the jobs.

    Args:
        work: makes the rows of a job; an importable function (or a partial of one), for it runs in other
            processes. Its rows may depend on nothing but its argument.
        jobs: what to do.
        columns: schema of the rows.
        cache: folder of the finished shards, see :func:`shard_cache`.
        workers: processes; 0 for one per core, 1 to stay in this process.
        title: of the progress bar.

    Raises:
        PackError: a worker was killed, or the disk is full. What was finished is kept.
    """
    cache.mkdir(parents=True, exist_ok=True)
    schema = arrow_schema(columns)
    todo = [(work, job.task, cache / f"{job.name}.arrow", schema) for job in jobs]
    workers = workers or os.cpu_count() or 1
    if len(jobs) < WORTH_A_POOL:
        workers = 1
    with tqdm(total=sum(job.size for job in jobs), desc=title, unit="picture", disable=not title) as bar:
        for job, file in zip(jobs, _in_order(todo, workers), strict=True):
            yield from _read(file)
            bar.update(job.size)


def shard_cache(root: Path, *parts: Any, modules: Iterable[str] = ()) -> Path:
    """Folder below `root` for shards that depend on `parts` (anything JSON holds) and on the code of `modules`."""
    text = json.dumps([list(parts), _code_digest(modules)], sort_keys=True, default=str)
    return root / hashlib.sha256(text.encode()).hexdigest()[:16]


def forget(cache: Path) -> None:
    """Remove the shards of a pack that is whole by now."""
    shutil.rmtree(cache, ignore_errors=True)


def _code_digest(modules: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(modules):
        file = Path(import_module(name).__file__ or "")
        for source in sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(source.read_bytes())
    return digest.hexdigest()


def _in_order(todo: Sequence[tuple], workers: int) -> Iterator[Path]:
    """Files of the shards, in order; each is made by whoever is free.

    Processes take about a second to start. Until the first of them has finished a shard, this one makes shards too,
    from behind those that were handed out.
    """
    if workers <= 1:
        with threadpool_limits(1):
            yield from (_make_shard(*arguments) for arguments in todo)
        return
    coming: deque[Future[Path] | Path] = deque()
    waiting = iter(todo)
    with _pool(workers, todo[0][0]) as pool:
        first = [pool.submit(_make_shard, *arguments) for arguments in islice(waiting, 2 * workers + 1)]
        coming.extend(first)
        while not first[0].done() and (own := next(waiting, None)):
            with _single_threaded():
                coming.append(_make_shard(*own))
        while coming:
            shard = coming.popleft()
            yield shard.result() if isinstance(shard, Future) else shard
            coming.extend(pool.submit(_make_shard, *arguments) for arguments in islice(waiting, 1))


@contextmanager
def _single_threaded() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        cv2.setNumThreads(threads)


@contextmanager
def _pool(workers: int, work: Callable[[Any], Iterable[Row]]) -> Iterator[ProcessPoolExecutor]:
    """Processes that are forked from one which has imported what `work` needs, and nothing else."""
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([__name__, getattr(work, "__module__", __name__)])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise PackError(
            "a worker process died: it was killed, or memory ran out",
            "run again, finished shards are kept; if memory was short, lower `workers` in params.yaml",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    cv2.setNumThreads(1)
    threadpool_limits(1)
    _keep_memory()


def _keep_memory() -> None:
    """Let glibc hold on to freed memory: planes of a picture are otherwise given back and faulted in each time."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, 8 * _LARGEST_KEPT)


def _make_shard(work: Callable[[Any], Iterable[Row]], task: Any, file: Path, schema: pa.Schema) -> Path:
    if file.is_file():
        return file
    table = pa.Table.from_pylist([dict(row) for row in work(task)], schema=schema)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(table)
        draft.rename(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise disk_error(file, error) from error
    return file


def _read(file: Path) -> Iterator[Row]:
    try:
        with pa.OSFile(str(file), "rb") as source:
            yield from pa.ipc.open_file(source).read_all().to_pylist()
    except pa.ArrowInvalid as error:
        raise PackError(f"{file}: corrupt shard: {error}", f"delete {file.parent} and run again") from error

import errno
import os
import signal
from pathlib import Path

import pytest

from facegate.contracts import Column, nullable
from facegate.datasets import shards
from facegate.datasets.shards import Job, forget, run_jobs, shard_cache
from facegate.errors import PackError

COLUMNS = (Column("name", "string", ""), nullable("value", "int32", ""))


def count(task):
    """Rows that depend on the task alone; leaves a trace of having been run."""
    name, size, folder = task
    (Path(folder) / f"{name}.{os.getpid()}.ran").touch()
    return [{"name": name, "value": i} for i in range(size)]


def die(task):
    if task[0] == "job-3":
        os.kill(os.getpid(), signal.SIGKILL)
    return count(task)


def jobs(folder, number=6):
    return [Job(f"job-{i}", i, (f"job-{i}", i, str(folder))) for i in range(number)]


def test_rows_come_in_the_order_of_the_jobs_whatever_the_workers(tmp_path):
    expected = [{"name": f"job-{i}", "value": k} for i in range(6) for k in range(i)]
    for workers in (1, 2):
        found = list(run_jobs(count, jobs(tmp_path), COLUMNS, tmp_path / f"cache{workers}", workers))
        assert found == expected
    one, two = (sorted((tmp_path / f"cache{n}").iterdir()) for n in (1, 2))
    assert [a.read_bytes() for a in one] == [b.read_bytes() for b in two]


def test_finished_shards_are_not_done_again(tmp_path):
    cache = tmp_path / "cache"
    stopped = run_jobs(count, jobs(tmp_path), COLUMNS, cache, 1)
    for _ in range(4):
        next(stopped)
    del stopped
    finished = len(list(tmp_path.glob("*.ran")))
    assert finished < 6
    assert len(list(run_jobs(count, jobs(tmp_path), COLUMNS, cache, 1))) == 15
    assert len(list(tmp_path.glob("*.ran"))) == 6
    forget(cache)
    assert not cache.exists()


def test_a_killed_worker_is_told_and_the_next_run_goes_on(tmp_path):
    cache = tmp_path / "cache"
    with pytest.raises(PackError, match=r"a worker process died.*\n.*run again, finished shards are kept"):
        list(run_jobs(die, jobs(tmp_path), COLUMNS, cache, 2))
    assert not (cache / "job-3.arrow").exists()
    assert len(list(run_jobs(count, jobs(tmp_path), COLUMNS, cache, 2))) == 15


def test_a_full_disk_is_told_and_no_half_shard_stays(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shards.pa, "OSFile", full)
    with pytest.raises(PackError, match="the disk is full"):
        list(run_jobs(count, jobs(tmp_path), COLUMNS, tmp_path / "cache", 1))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_spoilt_shard_is_refused(tmp_path):
    cache = tmp_path / "cache"
    list(run_jobs(count, jobs(tmp_path), COLUMNS, cache, 1))
    (cache / "job-2.arrow").write_bytes(b"ARROW1 and no more")
    with pytest.raises(PackError, match=r"job-2\.arrow: corrupt shard"):
        list(run_jobs(count, jobs(tmp_path), COLUMNS, cache, 1))


def test_the_cache_is_named_after_what_its_content_depends_on(tmp_path):
    name = shard_cache(tmp_path, {"seed": 1}, "ab", modules=["facegate.contracts"])
    assert name == shard_cache(tmp_path, {"seed": 1}, "ab", modules=["facegate.contracts"])
    others = [
        shard_cache(tmp_path, {"seed": 2}, "ab", modules=["facegate.contracts"]),
        shard_cache(tmp_path, {"seed": 1}, "ab", modules=["facegate.errors"]),
        shard_cache(tmp_path, {"seed": 1}, "ab", modules=["facegate.synthesis"]),
    ]
    assert len({name, *others}) == 4

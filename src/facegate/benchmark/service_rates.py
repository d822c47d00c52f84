"""How many requests a second the service answers, as a share of what the engine called directly does."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from facegate.benchmark.service_server import Caller, Server
from facegate.contracts import Task
from facegate.faces.picture import load_picture
from facegate.runtime.bundle import load_bundle
from facegate.runtime.engine import FaceEngine
from facegate.runtime.models import Recogniser, SpoofJudge
from facegate.runtime.processor import available_cores


def rate(call: Callable[[int], Any], threads: int, seconds: float) -> float:
    """Calls a second of several threads that each wait for their answer; each calls once at least."""
    end, counts = time.perf_counter() + seconds, [0] * threads

    def work(place: int) -> None:
        number = place
        while not counts[place] or time.perf_counter() < end:
            call(number)
            counts[place] += 1
            number += threads

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return sum(counts) / (time.perf_counter() - start)


def direct(release: Path) -> FaceEngine:
    """The engine of a release without anything around it."""
    models = release / "models"
    return FaceEngine(
        Recogniser(load_bundle(models / Task.RECOGNITION)), SpoofJudge(load_bundle(models / Task.SPOOF))
    )


def shares(
    server: Server, engine: FaceEngine, pictures: list[bytes], rounds: int, seconds: float
) -> dict[str, Any]:
    """Throughput over HTTP as a share of the engine's with as many threads as there are cores, the client among them."""
    return _shares(Caller(server, pictures), _look(engine, pictures), available_cores(), rounds, seconds)


def shares_apart(
    server: Server, engine: FaceEngine, pictures: list[bytes], rounds: int, seconds: float
) -> dict[str, Any] | None:
    """The same on one core: that of the service while it answers, and of the engine called directly by one thread.

    The client has the other cores. None where there is one core only.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return None
    caller, look = Caller(server, pictures), _look(engine, pictures)

    def alone(number: int) -> None:
        os.sched_setaffinity(0, {first})
        look(number)

    def asked(number: int) -> None:
        os.sched_setaffinity(0, others)
        caller(number)

    with _bound(server, {first}):
        return _shares(asked, alone, 1, rounds, seconds)


@contextmanager
def _bound(server: Server, cores: set[int]) -> Iterator[None]:
    """Keep the service's threads on some cores for a while."""
    threads = [thread.id for thread in server.process.threads()]
    everywhere = os.sched_getaffinity(0)
    for thread in threads:
        os.sched_setaffinity(thread, cores)
    try:
        yield
    finally:
        for thread in threads:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, everywhere)


def _look(engine: FaceEngine, pictures: list[bytes]) -> Callable[[int], Any]:
    return lambda number: engine.look(load_picture(pictures[number % len(pictures)]))


def _shares(
    asked: Callable[[int], Any], alone: Callable[[int], Any], threads: int, rounds: int, seconds: float
) -> dict[str, Any]:
    """Rates of both from rounds that alternate; one more asks than there are threads, so that none waits."""
    rates = []
    for _ in range(rounds):
        direct_rate = rate(alone, threads, seconds)
        rates.append((rate(asked, threads + 1, seconds), direct_rate))
    found = sorted(http_rate / direct_rate for http_rate, direct_rate in rates)
    return {
        "http_per_s": round(statistics.median(r[0] for r in rates), 1),
        "engine_per_s": round(statistics.median(r[1] for r in rates), 1),
        "share": round(statistics.median(found), 3),
        "share_low_high": [round(found[0], 3), round(found[-1], 3)],
        "rounds": rounds,
    }


def processor_share(server: Server, engine: FaceEngine, pictures: list[bytes], count: int) -> dict[str, Any]:
    """Processor time of the engine for a picture as a share of the service's: what a busy machine leaves comparable."""
    caller = Caller(server, pictures)
    for number in range(10):
        caller(number)
        engine.look(load_picture(pictures[number % len(pictures)]))
    before = server.process.cpu_times()
    failed = sum(caller(number).status != 200 for number in range(count))
    after = server.process.cpu_times()
    start = time.process_time()
    for number in range(count):
        engine.look(load_picture(pictures[number % len(pictures)]))
    alone = (time.process_time() - start) / count
    served = (after.user + after.system - before.user - before.system) / count
    milliseconds = {"service_ms": round(1000 * served, 2), "engine_ms": round(1000 * alone, 2)}
    return {**milliseconds, "share": round(alone / served, 3), "requests": count, "failed": failed}

"""What the service costs beside the engine: `python -m facegate.benchmark.service_load --release DIR`.

A real server in a process of its own, on the loopback; requests over plain sockets. Rounds of HTTP and rounds of the
engine called directly alternate, so that a busy machine is busy for both. The figures: throughput of ``identify`` as a
share of the engine's on one core, where the client has a core of its own, as it has at a door; the same with all cores,
which the client then takes a part of; and by processor time, which a busy machine leaves comparable;
99th percentile against the median at 70 % of that throughput, with arrivals that do not wait for answers; requests
lost while a release takes over; memory over many requests.
"""

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from facegate.benchmark.machine import describe
from facegate.benchmark.service_rates import direct, processor_share, shares, shares_apart
from facegate.benchmark.service_server import Answer, Caller, Server, running
from facegate.errors import told_in_words
from facegate.faces.picture import load_picture
from facegate.runtime.processor import available_cores


def arrivals(
    call: Callable[[int], Answer], per_second: float, seconds: float, meanwhile: Callable[[], None]
) -> list[Answer]:
    """Requests at a steady rate that do not wait for one another; latency counts from when each was due."""
    answers: list[Answer] = []
    start = time.perf_counter()

    def one(number: int) -> None:
        due = start + number / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = call(number)
        answers.append(answer._replace(seconds=time.perf_counter() - due))

    with ThreadPoolExecutor(64) as pool:
        other = pool.submit(meanwhile)
        list(pool.map(one, range(int(per_second * seconds))))
        other.result()
    return answers


def latencies(server: Server, pictures: list[bytes], per_second: float, seconds: float) -> dict[str, Any]:
    """Median and 99th percentile at a steady rate."""
    answers = arrivals(Caller(server, pictures), per_second, seconds, lambda: None)
    times = np.array([answer.seconds for answer in answers if answer.status == 200])
    median, high = np.quantile(times, [0.5, 0.99]) * 1000
    return {
        "per_s": round(per_second, 1),
        "median_ms": round(median, 1),
        "p99_ms": round(high, 1),
        "p99_over_median": round(high / median, 2),
        "requests": len(answers),
        "failed": sum(answer.status != 200 for answer in answers),
    }


def growth(server: Server, pictures: list[bytes], requests: int) -> dict[str, Any]:
    """Resident memory over many requests, MB, sampled at every tenth of them after the first."""
    caller, sizes, failed = Caller(server, pictures), [], 0
    with ThreadPoolExecutor(available_cores() + 1) as pool:
        for part in _parts(requests):
            failed += sum(answer.status != 200 for answer in pool.map(caller, part))
            sizes.append(round(server.process.memory_info().rss / 1e6, 1))
    return {
        "requests": requests,
        "failed": failed,
        "rss_mb": sizes,
        "growth_mb": round(sizes[-1] - sizes[0], 1),
    }


def _parts(requests: int) -> Iterator[range]:
    step = max(1, requests // 10)
    return (range(at, min(at + step, requests)) for at in range(0, requests, step))


def promotion(
    server: Server, release: Path, other: Path, pictures: list[bytes], per_second: float, seconds: float
) -> dict[str, Any]:
    """Requests lost, and time until the new release answers, while one takes the other's place."""
    done: list[float] = []
    begin = time.perf_counter()

    def swap() -> None:
        new = shutil.copytree(other, release.with_name("new"))
        time.sleep(seconds / 3)
        release.rename(release.with_name("old"))
        new.rename(release)
        done.append(time.perf_counter() - begin)

    caller, seen = Caller(server, pictures), []

    def call(number: int) -> Answer:
        answer = caller(number)
        seen.append((time.perf_counter() - begin, answer.digest))
        return answer

    answers = arrivals(call, per_second, seconds, swap)
    first = seen[0][1]
    new = [at for at, digest in seen if digest not in ("", first)]
    return {
        "per_s": per_second,
        "requests": len(answers),
        "statuses": dict(Counter(answer.status for answer in answers)),
        "new_release_after_s": round(min(new) - done[0], 2) if new else None,
    }


def main(
    release: Annotated[Path, typer.Option(help="a pulled release")],
    pictures: Annotated[Path, typer.Option(help="folder of JPEG pictures")],
    out: Annotated[Path, typer.Option(help="where the figures go")],
    other: Annotated[Path | None, typer.Option(help="another release, for the promotion")] = None,
    side: Annotated[int, typer.Option(help="longer side of the pictures, pixels")] = 640,
    rounds: Annotated[int, typer.Option(help="rounds of HTTP and engine")] = 7,
    seconds: Annotated[float, typer.Option(help="of each round")] = 4.0,
    requests: Annotated[int, typer.Option(help="for memory")] = 20_000,
    per_second: Annotated[float, typer.Option(help="while promoting")] = 50.0,
    steady: Annotated[float, typer.Option(help="seconds at 70 % load")] = 30.0,
) -> None:
    """Measure the service and write the figures as JSON."""
    large, small = (_pictures(pictures, pixels) for pixels in (side, 160))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "release"
        shutil.copytree(release, place)
        with running(place, Path(scratch) / "var") as server:
            found: dict[str, Any] = {
                "machine": describe(),
                "load": [round(x, 1) for x in os.getloadavg()],
                "side": side,
            }
            found["processor"] = processor_share(server, direct(release), large, 200)
            print(json.dumps(found["processor"]), flush=True)
            found["identify_apart"] = shares_apart(server, direct(release), large, rounds, seconds)
            print(json.dumps(found["identify_apart"]), flush=True)
            found["identify"] = shares(server, direct(release), large, rounds, seconds)
            print(json.dumps(found["identify"]), flush=True)
            found["at_70_percent"] = latencies(server, large, 0.7 * found["identify"]["http_per_s"], steady)
            print(json.dumps(found["at_70_percent"]), flush=True)
            if other is not None:
                found["promotion"] = promotion(server, place, other, small, per_second, 15.0)
                print(json.dumps(found["promotion"]), flush=True)
            found["memory"] = growth(server, small, requests)
            print(json.dumps(found["memory"]), flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")


def _pictures(folder: Path, side: int) -> list[bytes]:
    found = []
    for path in sorted([*folder.glob("*.jpg"), *folder.glob("*.png")]):
        rgb = load_picture(path)
        scale = side / max(rgb.shape[:2])
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found.append(cv2.imencode(".jpg", small[..., ::-1])[1].tobytes())
    return found


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)

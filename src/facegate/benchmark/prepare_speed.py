"""How much the stage `prepare` costs over the bare loop that it cannot do without: decode, detect, align.

``python -m facegate.benchmark.prepare_speed data/samples/stills 1000 10000 --rounds 3`` makes packs of these sizes from
the pictures of a pack, and measures both in turns, so that a busy machine slows both. The bare loop runs in
processes that are started and warm already, on all cores; the stage pays for its start, for encoding, writing and
hashing. Wall time is what a user waits for; the processor time of all processes says the same on a machine that is
busy with something else. Memory is that of the stage's main process, which holds what grows.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Annotated, Any

import cv2
import psutil
import typer
from threadpoolctl import threadpool_limits

from facegate.benchmark.cold import peak_memory
from facegate.contracts import SAMPLE_COLUMNS, Task
from facegate.datasets.pack import Pack, PackWriter, decode_image, open_pack
from facegate.datasets.prepare import ALIGNED_SIZE, SAMPLE_PACK, prepare
from facegate.errors import told_in_words
from facegate.faces.align import align
from facegate.faces.detect import Detector
from facegate.params import PrepareParams

SPAN = 64
_DETECTOR: list[Detector] = []


def measure(source: Path, sizes: list[int], rounds: int) -> list[dict[str, Any]]:
    """Ratio of times and memory of the stage, one entry per size.

    Args:
        source: a sample pack; its pictures are repeated as often as needed.
        sizes: pictures of the packs that are made of it.
        rounds: how often both are measured, in turns.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [_measure(source, size, rounds, Path(folder) / str(size)) for size in sizes]


def _measure(source: Path, size: int, rounds: int, folder: Path) -> dict[str, Any]:
    samples = folder / SAMPLE_PACK[Task.RECOGNITION]
    with PackWriter(samples, SAMPLE_COLUMNS) as writer:
        writer.write_all(_repeated(open_pack(source, SAMPLE_COLUMNS), size))
    bare, staged, memory, processor = [], [], [], []
    workers = cpu_count() or 1
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_warm) as pool:
        list(pool.map(_bare, [(samples, 0, 1)] * 4 * workers))
        for number in range(rounds):
            start, before = time.perf_counter(), _processor_time()
            list(pool.map(_bare, [(samples, at, min(at + SPAN, size)) for at in range(0, size, SPAN)]))
            bare.append(time.perf_counter() - start)
            loop = _processor_time() - before
            seconds, work, peak = _in_a_process_of_its_own(folder, number)
            staged.append(seconds)
            memory.append(peak)
            processor.append(work / loop)
    ratios = [one / other for one, other in zip(staged, bare, strict=True)]
    return {
        "pictures": size,
        "workers": workers,
        "bare_per_second": round(size / statistics.median(bare), 1),
        "stage_per_second": round(size / statistics.median(staged), 1),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "processor_ratio": round(statistics.median(processor), 3),
        "processor_ratios": [round(ratio, 3) for ratio in processor],
        "peak_mb": max(memory),
    }


def _processor_time() -> float:
    """Seconds of this process and of all below it, those that have ended among them."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:4]) for process in family)


def _in_a_process_of_its_own(folder: Path, number: int) -> tuple[float, float, float]:
    """Wall and processor seconds of the stage and its peak memory, MB, its imports done before."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        alone.submit(_warm).result()
        return alone.submit(_stage, folder, number).result()


def _stage(folder: Path, number: int) -> tuple[float, float, float]:
    start, before = time.perf_counter(), _processor_time()
    prepare(Task.RECOGNITION, folder, folder / f"crops{number}", PrepareParams(), folder / "cache")
    return time.perf_counter() - start, _processor_time() - before, peak_memory() or float("nan")


def _warm() -> None:
    cv2.setNumThreads(1)
    threadpool_limits(1)
    _DETECTOR[:] = [Detector()]


def _bare(task: tuple[Path, int, int]) -> int:
    path, start, stop = task
    faces = 0
    for row in open_pack(path).rows(start, stop):
        image = decode_image(row["image"], row["sample_id"])
        found = _DETECTOR[0].detect(image)
        if found:
            align(image, found[0].landmarks, ALIGNED_SIZE)
            faces += 1
    return faces


def _repeated(pack: Pack, size: int) -> Iterator[dict[str, Any]]:
    for number in range(size):
        [row] = pack.rows(number % len(pack), number % len(pack) + 1)
        yield {**row, "sample_id": f"{number}-{row['sample_id']}"}


def main(
    pack: Annotated[Path, typer.Argument(help="pack of samples")],
    sizes: Annotated[list[int], typer.Argument(help="how many pictures to prepare, each in its turn")],
    rounds: Annotated[int, typer.Option(help="how often each is measured")] = 3,
) -> None:
    """Print the ratios as JSON."""
    print(json.dumps(measure(pack, sizes, rounds), indent=2))


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)

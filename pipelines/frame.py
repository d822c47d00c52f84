"""Stage `frame`: the whole path of a frame on this machine, by number of faces, and peers where installed."""

from pathlib import Path

from facegate.benchmark.frame_report import benchmark_frames
from facegate.contracts import SAMPLE_COLUMNS, Task
from facegate.datasets.pack import open_pack
from facegate.params import Params
from facegate.runtime.bundle import by_target
from pipelines.stage import SAMPLES, artifacts, run

PORTRAITS = 4


def main(params: Params) -> None:
    """Measure the first int8 target on frames composed of the data set's own pictures."""
    recognition, spoof = (_leading(task, params) for task in (Task.RECOGNITION, Task.SPOOF))
    pack = open_pack(SAMPLES / "stills", SAMPLE_COLUMNS)
    portraits = [pack.image(i) for i in range(0, len(pack), max(1, len(pack) // PORTRAITS))][:PORTRAITS]
    benchmark_frames(recognition, spoof, portraits, Path("reports/benchmark/frame"), params.benchmark)


def _leading(task: Task, params: Params) -> Path:
    candidates = by_target(artifacts(task) / "candidates")
    return next(folder for target, folder in candidates.items() if params.quantize.leads(target))


if __name__ == "__main__":
    run(main)

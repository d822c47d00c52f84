"""Stage `benchmark`: latency, memory and size of every variant of a task, in one interleaved run."""

from pathlib import Path

from facegate.benchmark.report import benchmark_task
from facegate.params import Params
from pipelines.stage import artifacts, run, task_argument


def main(params: Params) -> None:
    """Measure the candidates on this machine."""
    task = task_argument()
    out, metrics = Path("reports/benchmark") / task, Path("metrics") / f"{task}.json"
    benchmark_task(task, artifacts(task) / "candidates", out, params.benchmark, metrics)


if __name__ == "__main__":
    run(main)

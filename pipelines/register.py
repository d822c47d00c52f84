"""Stage `register`: a version in the MLflow registry for every candidate, with its evidence."""

import json
from pathlib import Path

from facegate.params import Params
from facegate.registry.evidence import collect
from facegate.registry.register import register_bundle
from facegate.runtime.bundle import by_target
from pipelines.stage import artifacts, crops, run, task_argument


def main(params: Params) -> None:
    """Register fp32 and every int8 target; what is registered already stays as it is."""
    task = task_argument()
    place = artifacts(task)
    reports, benchmark = Path("reports") / task, Path("reports/benchmark") / task
    metrics = json.loads(Path(f"metrics/{task}.json").read_text())
    for target, exported in by_target(place / "exported").items():
        done = register_bundle(
            place / "candidates" / target,
            params,
            collect(
                task,
                metrics[target],
                reports / target,
                benchmark,
                exported,
                scores=Path("scores") / task / f"{target}.parquet",
                validation=Path(f"reports/validate/{task}.json"),
            ),
            inputs={"crops": crops(task), "trained": place / "trained"},
            training=place / "train_run.json",
        )
        word = "registered" if done.created else "already registered as"
        print(f"{word} {done.name}/{done.version} ({done.target}; {', '.join(done.aliases)})")


if __name__ == "__main__":
    run(main)

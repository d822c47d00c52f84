"""Stage `train`: train a task's network with the sweep's best values."""

from facegate.params import Params
from facegate.registry.initial import initial_folder
from facegate.registry.tracking import stage_run
from facegate.training.fit import fit
from facegate.training.run import follows
from facegate.training.space import read_best, with_values
from pipelines.stage import CHECKPOINTS, artifacts, crops, pool, run, task_argument, training_inputs


def main(params: Params) -> None:
    """Train, and keep the curves and the network with the run; of several processes the first one does."""
    task = task_argument()
    place = artifacts(task)
    out = place / "trained"
    tuned = with_values(task, params, read_best(place / "tune"))
    initial = initial_folder(task, tuned)
    if follows():
        fit(task, tuned, crops(task), out, CHECKPOINTS, None, pool(task), initial)
        return
    inputs = {**training_inputs(task), "tune": place / "tune"}
    reference = place / "train_run.json"
    with stage_run(
        "train", task, tuned, inputs=inputs, sections=[task, "trainer"], reference=reference
    ) as tracked:
        result = fit(task, tuned, crops(task), out, CHECKPOINTS, tracked, pool(task), initial)
        tracked.summary(
            {f"best_{result.metric}": result.value, "pictures_per_second": result.pictures_per_second}
        )
        tracked.file(out, "trained")


if __name__ == "__main__":
    run(main)

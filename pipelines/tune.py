"""Stage `tune`: a small sweep over the recipe, one MLflow run with a nested run per trial."""

from facegate.params import Params
from facegate.training.space import tune_section
from facegate.training.trials import write_sweep
from facegate.whole import whole_folder
from pipelines.stage import artifacts, run, task_argument


def main(params: Params) -> None:
    """Search the space of params.yaml and write the best point."""
    task = task_argument()
    if not tune_section(task, params).trials:
        with whole_folder(artifacts(task) / "tune") as draft:
            write_sweep(draft, task, None, [])
        return
    from pipelines.sweep import sweep  # takes seconds to import

    sweep(task, params)


if __name__ == "__main__":
    run(main)

"""The command line's part on speed: what devices measured."""

from pathlib import Path
from typing import Annotated

import typer

benchmark_app = typer.Typer(help="What models cost on devices.", no_args_is_help=True)


@benchmark_app.command("import")
def import_result(
    result: Annotated[Path, typer.Argument(help="result.json, as run.py of a device kit wrote it")],
) -> None:
    """Add what a device measured to the MLflow runs of the model versions that it measured."""
    from facegate.registry.devices import import_device_result

    for model in import_device_result(result):
        state = "added" if model.added else "was there already"
        median = next(value for key, value in model.metrics.items() if key.endswith("latency_ms.median"))
        print(f"{model.version}: {model.device}: median {median:.3f} ms: {state}")

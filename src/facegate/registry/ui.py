"""The command behind ``make ui``: MLflow's own server on the project's store, small and private.

One worker and no job runner: MLflow's defaults start four workers and a job queue of eight processes. It
listens on the loopback interface only.
"""

import os
import sys
from pathlib import Path

from facegate.registry.quiet import DEFAULTS
from facegate.registry.store import Store, open_store

HOST = "127.0.0.1"


def ui_command(root: Path | None = None, port: int = 5000) -> list[str]:
    """Command line that starts the UI on the store of a project.

    Raises:
        RegistryError: the store is absent, moved or out of reach.
    """
    return server_command(open_store(root), HOST, port)


def ui_environment() -> dict[str, str]:
    """Environment for that command: no telemetry, no job runner; what the user exported wins."""
    return {**DEFAULTS, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **os.environ}


def ui_page(port: int = 5000) -> str:
    """The page to open: MLflow starts in its view of language models unless it is told otherwise."""
    return f"http://{HOST}:{port}/#/experiments?workflowType=machine_learning"


def server_command(store: Store, host: str, port: int) -> list[str]:
    """Command line that starts a server on a store that is open."""
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", host]
    command += ["--port", str(port), "--backend-store-uri", store.uri]
    if store.folder is not None:
        command += ["--artifacts-destination", (store.folder / "artifacts").as_uri()]
    return command

"""The command behind ``make ui``: MLflow's own server on the project's store, small and private.

One worker and no job runner: MLflow's defaults start four workers and a job queue of eight processes. It
listens on the loopback interface only.
"""

import os
from pathlib import Path
from typing import NamedTuple

from facegate.registry.quiet import DEFAULTS
from facegate.registry.store import Store, open_store


class ServerCommand(NamedTuple):
    """A command line, the environment it needs, and the page to open."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    page: str


def ui_command(root: Path | None = None, host: str = "127.0.0.1", port: int = 5000) -> ServerCommand:
    """How to start the UI on the store of a project.

    Raises:
        RegistryError: the store is absent, moved or out of reach.
    """
    return server_command(open_store(root), host, port)


def server_command(store: Store, host: str, port: int) -> ServerCommand:
    """How to start a server on a store that is open."""
    arguments = ["mlflow", "server", "--workers", "1", "--host", host, "--port", str(port)]
    arguments += ["--backend-store-uri", store.uri]
    if store.folder is not None:
        arguments += ["--artifacts-destination", (store.folder / "artifacts").as_uri()]
    switches = {**DEFAULTS, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    page = f"http://{host}:{port}/#/experiments?workflowType=machine_learning"
    return ServerCommand(tuple(arguments), {**switches, **os.environ}, page)

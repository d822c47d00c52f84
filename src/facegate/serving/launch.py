"""From the command line to running workers: the first key, the metrics folder, uvicorn's settings."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

from facegate.errors import MissingExtraError
from facegate.serving import logs
from facegate.serving.metrics import MULTIPROCESS
from facegate.serving.releases import ON_TRIAL, choose_source
from facegate.serving.service import make_folder, open_vault
from facegate.serving.settings import Settings, to_environment
from facegate.serving.store.database import Database
from facegate.serving.store.keys import Keys, Role

FIRST_KEY = "first-admin.key"
GRACE_S = 15
"""How long requests and streams may take to end when the service is told to stop."""
_log = logging.getLogger(__name__)


def launch(settings: Settings) -> None:
    """Run the service until it is told to stop.

    Raises:
        FacegateError: the database, the vault's key or the source cannot be used.
        MissingExtraError: uvicorn is not installed.
    """
    try:
        import uvicorn
        import websockets  # noqa: F401  # uvicorn would only refuse the first stream
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed", "pip install 'facegate[serve]'") from error
    logs.set_up()
    prepare(settings)
    os.environ.update(to_environment(settings))
    uvicorn.run("facegate.serving.app:from_environment", factory=True, **server_settings(settings))


def prepare(settings: Settings) -> None:
    """What is done once, before any worker: tables, keys, and a look whether the source can be used at all."""
    make_folder(settings.data)
    if settings.source == "candidates":
        _log.warning(ON_TRIAL)
    choose_source(settings)
    open_vault(settings)
    database = Database.open(settings.database_url)
    try:
        first = make_first_key(Keys(database), settings.data)
    finally:
        database.close()
    if first is not None:
        _log.warning(
            "first admin key made", extra={"fields": {"file": str(first), "advice": "delete it once read"}}
        )
    if settings.workers > 1:
        os.environ[MULTIPROCESS] = str(_empty(settings.data / "metrics"))


def make_first_key(keys: Keys, folder: Path) -> Path | None:
    """An admin key in a file that only its owner can read, if there is no key yet; it is never logged."""
    if keys.all():
        return None
    path = folder / FIRST_KEY
    secret = keys.create(Role.ADMIN, "first admin").secret
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(secret + "\n")
    return path


def server_settings(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told."""
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.proxy),
        "forwarded_allow_ips": settings.proxy or None,
        "ws": "websockets-sansio",
        "ws_max_size": settings.max_bytes + 64,
        "ws_max_queue": 4,
        "ws_per_message_deflate": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": GRACE_S,
        "h11_max_incomplete_event_size": 16_384,
    }


def _empty(folder: Path) -> Path:
    """A folder without the numbers of workers that are gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

"""Everything that one process of the service is made of, put together in one place.

Routes know this object and nothing global; tests make as many of them as they like.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from facegate.errors import FacegateError
from facegate.runtime.engine import FaceResult
from facegate.serving.drift import Drift
from facegate.serving.housekeeping import Housekeeping
from facegate.serving.limits import Buckets, Lockout, Room, Slots
from facegate.serving.metrics import Metrics
from facegate.serving.production import Production
from facegate.serving.releases import PRODUCTION, ReleaseSource, choose_source
from facegate.serving.security import KeyRing, Principal
from facegate.serving.served import Served
from facegate.serving.settings import Settings
from facegate.serving.shadow import Shadow
from facegate.serving.store.attendance import Attendance
from facegate.serving.store.database import Database
from facegate.serving.store.errors import NotFoundError
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.journal import Journal
from facegate.serving.store.keys import Keys
from facegate.serving.store.people import get_person
from facegate.serving.store.vault import KEY_FILE, KEYS, Vault, new_key_line

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Service:
    """One process of the service.

    Attributes:
        settings: what the operator set.
        database: people, attendance, journal, keys.
        attendance: who was present.
        journal: hash-chained log of decisions.
        keys: API keys in the database.
        ring: API keys as the guard checks them.
        production: the models.
        shadow: the release beside them.
        metrics: for Prometheus.
        drift: watch over scores and quality.
        housekeeping: deletes what is over.
        slots: pictures that are judged at once.
        room: requests inside.
        streams: streams inside.
        buckets: requests of each key.
    """

    settings: Settings
    database: Database
    attendance: Attendance
    journal: Journal
    keys: Keys
    ring: KeyRing
    production: Production
    shadow: Shadow
    metrics: Metrics
    drift: Drift
    housekeeping: Housekeeping
    slots: Slots
    room: Room
    streams: Room
    buckets: Buckets

    def name_of(self, person_id: str) -> str:
        """Name of a person; empty if that person was deleted a moment ago."""
        try:
            with self.database.read() as connection:
                return get_person(connection, "", person_id).name
        except NotFoundError:
            return ""

    def watch(self, rgb: NDArray[np.uint8], results: Sequence[FaceResult], camera: str) -> None:
        """Count what was answered, watch it for drift, and show it to the shadow."""
        for result in results:
            self.metrics.face(result.verdict.value, tuple(result.reasons))
            self.drift.add(camera, result)
        self.shadow.offer(rgb, results, camera)

    def start(self) -> None:
        """Begin to follow production."""
        self.production.start()
        self.shadow.start()
        self.housekeeping.start()

    def stop(self) -> None:
        """End in order; what was acknowledged is on the disk already."""
        self.production.stop()
        self.housekeeping.stop()
        self.shadow.stop()
        self.metrics.close()
        self.database.close()


def open_service(settings: Settings, source: ReleaseSource | None = None) -> Service:
    """Put a service together; nothing runs yet.

    Args:
        settings: what the operator set.
        source: where releases come from; as the settings say by default.

    Raises:
        FacegateError: the database, the vault's key or the source cannot be used.
    """
    make_folder(settings.data)
    vault, database = open_vault(settings), Database.open(settings.database_url)
    metrics, keys = Metrics(), Keys(database)
    drift = Drift(settings.data / "drift", metrics.drift, settings.drift_reference, settings.drift_window)
    production = Production(
        source or choose_source(settings),
        lambda model: Gallery(database, vault, model),
        poll_s=settings.poll_s,
        threads=settings.threads,
        fpir=settings.fpir,
        on_change=_Told(metrics, drift),
        on_problem=metrics.failed,
    )
    zone, window = ZoneInfo(settings.timezone), timedelta(seconds=settings.dedup_s)
    attendance, journal = Attendance(database, window=window, zone=zone), Journal(database)
    return Service(
        settings=settings,
        database=database,
        attendance=attendance,
        journal=journal,
        keys=keys,
        ring=KeyRing(_look_up(keys), Lockout(settings.failures, settings.lockout_s)),
        production=production,
        shadow=Shadow(lambda: production.shadow, metrics),
        metrics=metrics,
        drift=drift,
        housekeeping=Housekeeping(
            lambda: production.current.gallery if production.ready else None,
            attendance,
            journal,
            settings.retention_days,
        ),
        slots=Slots(settings.judged_at_once),
        room=Room(settings.judged_at_once + settings.queue),
        streams=Room(settings.max_streams),
        buckets=Buckets(settings.rate, settings.burst),
    )


def make_folder(folder: Path) -> None:
    """The folder of what the service keeps.

    Raises:
        FacegateError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problem = "" if os.access(folder, os.W_OK) else "cannot be written to"
    except OSError as error:
        problem = str(error.strerror)
    if problem:
        raise FacegateError(f"{folder}: {problem}", "name a folder that can be written to with `--data`")


def open_vault(settings: Settings) -> Vault:
    """The key that seals templates: from the environment, or from a file that is made on the first start.

    Raises:
        VaultError: the key is malformed.
    """
    if settings.vault_key is None and (os.environ.get(KEYS) or os.environ.get(KEY_FILE)):
        return Vault.load()
    path = settings.vault_key or settings.data / "vault.key"
    if not path.exists() and settings.vault_key is None:
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
                file.write(new_key_line(f"{datetime.now(UTC):%Y-%m-%d}") + "\n")
            _log.warning(
                "vault key made", extra={"fields": {"file": str(path), "advice": "keep a copy elsewhere"}}
            )
        except FileExistsError:
            pass  # another worker was quicker
    return Vault.load(path)


class _Told:
    """Passes the news of a release on to metrics and drift.

    Args:
        metrics: where it is shown.
        drift: begins anew with each release.
    """

    def __init__(self, metrics: Metrics, drift: Drift) -> None:
        self.metrics, self.drift = metrics, drift
        self.shown: dict[str, tuple[str, str]] = {}

    def __call__(self, alias: str, served: Served | None) -> None:
        """A release took over, or a shadow went."""
        new = (served.release.name, served.release.digest[:12]) if served else None
        self.metrics.release(alias, new, self.shown.pop(alias, None))
        if new is not None:
            self.shown[alias] = new
        if alias == PRODUCTION and served is not None:
            self.drift.release(served.release.digest, served.measured)


def _look_up(keys: Keys) -> Callable[[str], Principal | None]:
    def look_up(secret: str) -> Principal | None:
        found = keys.authenticate(secret)
        return Principal(found.id, found.label, found.role) if found else None

    return look_up

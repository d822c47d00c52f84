"""Retention: what is older than the operator allows is deleted, once an hour, for good.

People go by their own date (``keep_until``); attendance, kept crops and the log of decisions by the age in the settings.
Several workers may do it at once: each deletes what is still there.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from facegate.errors import FacegateError
from facegate.serving.store.attendance import Attendance
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.journal import Journal

EVERY_S = 3600.0
_log = logging.getLogger(__name__)


class Housekeeping:
    """Deletes what is over.

    Args:
        gallery: the people enrolled; None while no model is loaded.
        attendance: who was present.
        journal: log of decisions.
        days: greatest age of attendance, crops and log, days; 0 keeps them.
    """

    def __init__(
        self, gallery: Callable[[], Gallery | None], attendance: Attendance, journal: Journal, days: int
    ) -> None:
        self._gallery, self.attendance, self.journal, self.days = gallery, attendance, journal, days
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def clean(self, now: datetime | None = None) -> dict[str, int]:
        """Delete once; returns what went.

        Raises:
            StoreError: the database is out of reach.
        """
        now, gallery = now or datetime.now(UTC), self._gallery()
        gone = {"persons": 0, "marks": 0, "entries": 0}
        if gallery is not None:
            gone["persons"] = gallery.purge(now, crop_days=self.days or None)
        if self.days:
            before = now - timedelta(days=self.days)
            gone["marks"] = self.attendance.purge(before)
            gone["entries"] = self.journal.prune(before)
        if gone["persons"]:
            self.journal.append("purge", gone)
        return gone

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                gone = self.clean()
                if any(gone.values()):
                    _log.info("retention", extra={"fields": gone})
            except FacegateError as error:
                _log.error("retention failed", extra={"fields": {"problem": error.problem}})
            except Exception:  # tried again in an hour
                _log.exception("retention failed")

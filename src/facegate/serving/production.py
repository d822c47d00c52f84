"""The watch over production: polls a source and swaps the one immutable object that answers.

A request reads ``Production.current`` once and works with that object to its end; a new release is loaded, checked
against its golden vectors and warmed beside it, and takes its place by one assignment. Whatever fails on the way
leaves the old one where it is, and is said in ``problems``.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from facegate.errors import FacegateError
from facegate.runtime.processor import unsuited
from facegate.serving.problems import busy
from facegate.serving.releases import PRODUCTION, SHADOW, ReleaseSource
from facegate.serving.served import OpenGallery, Served, serve
from facegate.serving.settings import FPIR

RETRY_S = 30.0
"""Pause before a release that failed is tried again, unless another one takes its place."""
NOTHING = ""
"""In place of what an alias names while it names nothing."""
_log = logging.getLogger(__name__)


@dataclass
class _Followed:
    """One alias: what it named when it was last loaded or last failed."""

    served: Served | None = None
    head: str | None = None
    failed: str | None = None
    failed_at: float = 0.0
    problem: str = ""


@dataclass(eq=False)
class Production:
    """Follows a source.

    Attributes:
        source: where releases come from.
        open_gallery: the people enrolled for a recogniser.
        poll_s: pause between two looks, seconds.
        threads: of one network.
        fpir: false positive identification rate aimed at in a search.
        on_change: told of every release that takes over.
        on_problem: told after every look whether production's newest release is refused.
    """

    source: ReleaseSource
    open_gallery: OpenGallery
    poll_s: float = 2.0
    threads: int = 1
    fpir: float = FPIR
    on_change: Callable[[str, Served | None], None] = lambda alias, served: None
    on_problem: Callable[[bool], None] = lambda problem: None
    clock: Callable[[], float] = time.monotonic
    _aliases: dict[str, _Followed] = field(
        default_factory=lambda: {PRODUCTION: _Followed(), SHADOW: _Followed()}
    )
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def current(self) -> Served:
        """What is in production.

        Raises:
            ProblemError: 503, nothing could be loaded yet.
        """
        served = self._aliases[PRODUCTION].served
        if served is None:
            raise busy(f"no model is loaded: {self.problem or 'it is being loaded'}", self.poll_s)
        return served

    @property
    def shadow(self) -> Served | None:
        """What runs beside it; None for nothing."""
        return self._aliases[SHADOW].served

    @property
    def ready(self) -> bool:
        """Whether requests can be answered."""
        return self._aliases[PRODUCTION].served is not None

    @property
    def problem(self) -> str:
        """Why production's newest release was not taken; empty if nothing failed."""
        return self._aliases[PRODUCTION].problem

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with each alias."""
        return tuple(f"{alias}: {one.problem}" for alias, one in self._aliases.items() if one.problem)

    def refresh(self) -> None:
        """Look once at the source and at the galleries."""
        for alias, followed in self._aliases.items():
            self._follow(alias, followed)
            if followed.served is not None:
                self._refresh_gallery(followed.served)
        self.on_problem(bool(self.problem))

    def _follow(self, alias: str, followed: _Followed) -> None:
        try:
            head = self.source.head(alias)
        except FacegateError as error:
            followed.failed = None  # what failed before says nothing of what is there afterwards
            self._refuse(alias, followed, error)
            return
        if head is None and alias == SHADOW:
            self._end_shadow(followed)
        elif head is not None and head == followed.head:
            followed.problem, followed.failed = "", None
        else:
            self._load(alias, followed, head or NOTHING)

    def _end_shadow(self, followed: _Followed) -> None:
        if followed.served is not None:
            self.on_change(SHADOW, None)
        followed.served = followed.head = None
        followed.problem = ""

    def _load(self, alias: str, followed: _Followed, head: str) -> None:
        if head == followed.failed and self.clock() - followed.failed_at < RETRY_S:
            return
        try:
            served = serve(self.source.load(alias), self.open_gallery, self.threads, self.fpir)
        except Exception as error:  # whatever a broken release raises, the old one stays
            followed.failed, followed.failed_at = head, self.clock()
            self._refuse(alias, followed, error)
            return
        followed.served, followed.head = served, head
        followed.problem, followed.failed = "", None
        fields = {"alias": alias, "release": served.release.name, "digest": served.release.digest[:12]}
        _log.info("release loaded", extra={"fields": fields})
        for task, bundle in served.release.bundles.items():
            if problem := unsuited(bundle.contract.quantisation.target):
                _log.warning(
                    "model for another processor", extra={"fields": {"model": task.value, "problem": problem}}
                )
        self.on_change(alias, served)

    @staticmethod
    def _refuse(alias: str, followed: _Followed, error: Exception) -> None:
        """Keep what is served, and say why; the log hears of each problem once."""
        told = (
            error if isinstance(error, FacegateError) else FacegateError(f"{type(error).__name__}: {error}")
        )
        problem = told.problem + (f"; {followed.served.release.name} stays" if followed.served else "")
        if problem != followed.problem:
            fields = {"alias": alias, "problem": problem, "advice": told.remedy}
            _log.error("no release taken", extra={"fields": fields})
        followed.problem = problem

    @staticmethod
    def _refresh_gallery(served: Served) -> None:
        try:
            served.gallery.refresh()
        except (
            FacegateError
        ) as error:  # the search goes on with what is known; /readyz asks the database itself
            _log.error("gallery not refreshed", extra={"fields": {"problem": error.problem}})

    def start(self) -> None:
        """Load, then watch from a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="production", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh()
            except Exception:  # the watch must outlive whatever one look raises
                _log.exception("the watch over production failed")
            self._stop.wait(self.poll_s)

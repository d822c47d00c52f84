"""A release that answers beside production and is never heard: only where it disagrees is logged and counted.

It judges the very faces that production found, from a queue of a few pictures that drops what it has no time for: a
shadow must never slow production down.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.runtime.engine import FaceResult
from facegate.serving.metrics import Metrics
from facegate.serving.served import Served

_log = logging.getLogger(__name__)
WAITING = 4


@dataclass(frozen=True, eq=False)
class _Seen:
    rgb: NDArray[np.uint8]
    results: Sequence[FaceResult]
    camera: str


class Shadow:
    """Runs the shadow release.

    Args:
        current: the shadow now; None for none.
        metrics: where disagreement is counted.
    """

    def __init__(self, current: Callable[[], Served | None], metrics: Metrics) -> None:
        self._current, self._metrics = current, metrics
        self._queue: queue.Queue[_Seen | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def offer(self, rgb: NDArray[np.uint8], results: Sequence[FaceResult], camera: str) -> None:
        """Hand over what production answered; returns at once."""
        if self._current() is None or not results:
            return
        try:
            self._queue.put_nowait(_Seen(rgb, results, camera))
        except queue.Full:
            self._metrics.shadow_dropped()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after the picture at hand."""
        if self._thread is not None:
            while self._thread.is_alive():
                try:
                    self._queue.put(None, timeout=0.1)
                    break
                except queue.Full:
                    continue
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while (seen := self._queue.get()) is not None:
            served = self._current()
            if served is None:
                continue
            try:
                self._judge(served, seen)
            except Exception:  # production must not notice
                _log.exception("the shadow failed")

    def _judge(self, served: Served, seen: _Seen) -> None:
        engine = served.engine
        gated = engine.gate(seen.rgb, [result.face for result in seen.results])
        others = engine.identify(engine.judge(seen.rgb, gated))
        counts: dict[str, int] = {}
        for mine, other in zip(seen.results, others, strict=True):
            for question, pair in disagreements(mine, other, enrolled=len(served.gallery) > 0).items():
                counts[question] = counts.get(question, 0) + 1
                fields = {"shadow": served.release.name, "camera": seen.camera, "question": question, **pair}
                _log.info("shadow disagrees", extra={"fields": fields})
        self._metrics.shadow(len(others), counts)


def disagreements(mine: FaceResult, other: FaceResult, enrolled: bool = True) -> dict[str, dict[str, object]]:
    """The questions on which two releases decided otherwise about one face, with both scores.

    Args:
        mine: of production.
        other: of the shadow.
        enrolled: whether the shadow knows anybody; if not, who it is cannot be compared.
    """
    found: dict[str, dict[str, object]] = {}
    for question, ours, theirs in (
        ("spoof", mine.spoof, other.spoof),
        ("identity", mine.identity, other.identity),
    ):
        if ours is None or theirs is None or (question == "identity" and not enrolled):
            continue
        if ours.verdict is not theirs.verdict or _another_person(question, mine, other):
            found[question] = {"production": round(ours.score, 4), "other": round(theirs.score, 4)}
    return found


def _another_person(question: str, mine: FaceResult, other: FaceResult) -> bool:
    both = question == "identity" and mine.match is not None and other.match is not None
    accepted = mine.open and other.open
    return bool(both and accepted and mine.match.person != other.match.person)  # pyright: ignore[reportOptionalMemberAccess]

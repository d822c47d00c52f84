"""What Prometheus reads: requests, decisions, streams, releases, drift. No names of people, no pictures.

With several workers the variable ``PROMETHEUS_MULTIPROC_DIR`` (set by ``facegate serve``) makes each write its numbers
to files, and whichever worker is asked adds them up.
"""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
MOST_CAMERAS = 50
_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All instruments of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._cameras: set[str] = set()
        self._requests = self._counter("requests", "answered requests", "route", "method", "status")
        self._seconds = Histogram(
            "facegate_request_seconds", "time to answer", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self._faces = self._counter("faces", "faces judged", "verdict", "reason")
        self._frames = self._counter("stream_frames", "frames of streams", "status")
        self._marks = self._counter("marks", "people marked present", "repeated")
        self._streams = self._gauge("streams", "open streams", "livesum")
        self._suspicions = self._counter("stream_suspicions", "streams that look injected", "kind")
        self._release = self._gauge(
            "release_info", "1 for what is loaded", "max", "alias", "release", "digest"
        )
        self._failed = self._gauge("release_failed", "1 while the newest release is refused", "max")
        self._shadow = self._counter("shadow_faces", "faces that the shadow judged too")
        self._disagreed = self._counter("shadow_disagreements", "other verdicts of the shadow", "question")
        self._unseen = self._counter("shadow_dropped", "pictures that the shadow had no time for")
        self._psi = self._gauge(
            "drift_psi", "population stability index", "max", "camera", "value", "against"
        )
        self._ks = self._gauge("drift_ks", "Kolmogorov-Smirnov distance", "max", "camera", "value", "against")
        self._alert = self._gauge(
            "drift_alert", "1 where drift calls for a look", "max", "camera", "value", "against"
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"facegate_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, mode: str, *labels: str) -> Gauge:
        return Gauge(
            f"facegate_{name}",
            text,
            labels,
            registry=self.registry,
            multiprocess_mode=mode,  # pyright: ignore[reportArgumentType]
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def face(self, verdict: str, reasons: tuple[str, ...]) -> None:
        """Count a judged face by its first reason."""
        self._faces.labels(verdict, reasons[0] if reasons else "").inc()

    def frame(self, status: str) -> None:
        """Count a frame of a stream."""
        self._frames.labels(status).inc()

    def mark(self, repeated: bool) -> None:
        """Count a mark of attendance."""
        self._marks.labels(str(repeated).lower()).inc()

    def stream(self, change: int) -> None:
        """Count an opened (1) or closed (-1) stream."""
        self._streams.inc(change)

    def suspicion(self, kind: str) -> None:
        """Count a stream that looks injected."""
        self._suspicions.labels(kind).inc()

    def release(self, alias: str, new: tuple[str, str] | None, old: tuple[str, str] | None) -> None:
        """Say which release and digest is loaded, and which no longer is."""
        if old is not None:
            self._release.labels(alias, *old).set(0)
        if new is not None:
            self._release.labels(alias, *new).set(1)

    def failed(self, failed: bool) -> None:
        """Say whether the newest release is refused."""
        self._failed.set(failed)

    def shadow(self, faces: int, disagreements: dict[str, int]) -> None:
        """Count what the shadow judged."""
        self._shadow.inc(faces)
        for question, count in disagreements.items():
            self._disagreed.labels(question).inc(count)

    def shadow_dropped(self) -> None:
        """Count a picture that the shadow did not see."""
        self._unseen.inc()

    def camera(self, name: str) -> str:
        """A camera as a label; beyond the first fifty they are one, so that labels stay few."""
        if name not in self._cameras and len(self._cameras) >= MOST_CAMERAS:
            return "other"
        self._cameras.add(name)
        return name

    def drift(self, camera: str, value: str, against: str, psi: float, ks: float, alert: bool) -> None:
        """Say how far a camera's values have moved from the contract, or from the camera's first ones."""
        labels = (self.camera(camera), value, against)
        self._psi.labels(*labels).set(psi)
        self._ks.labels(*labels).set(ks)
        self._alert.labels(*labels).set(alert)

    def page(self) -> bytes:
        """All of it as text, of all workers."""
        if MULTIPROCESS not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)

    @staticmethod
    def close() -> None:
        """Take this worker's gauges out of the sum."""
        if MULTIPROCESS in os.environ:
            mark_process_dead(os.getpid())

"""Search in memory: the highest cosines among all templates, always the same ones as a full scan finds.

Templates lie in parts. Small galleries are scanned in full precision, one matrix-vector product a part. In large
ones the full parts are scanned in whole numbers first (`scan`), and only what may be among the best is scored in full.

A snapshot is replaced as a whole, never changed where a search may be reading: searches need no lock and see the
gallery as it was when they began.
"""

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.serving.store.scan import LOWEST, Probe, Scan

PART = 65_536
"""Templates in a full part."""

EXACT_UP_TO = 2 * PART
"""Templates up to which everything is scanned in full precision."""

_GROUP = 128

Keys = NDArray[np.int64]
Rows = NDArray[np.intp]
Vectors = NDArray[np.float32]


class Hit(NamedTuple):
    """One template found.

    Attributes:
        key: its number.
        score: cosine, -1 to 1; higher is more alike.
    """

    key: int
    score: float


class _Part(NamedTuple):
    keys: Keys
    vectors: Vectors
    dead: Rows
    scan: Scan | None = None

    @property
    def alive(self) -> int:
        return self.keys.size - self.dead.size


class Index:
    """Templates that can be searched.

    Args:
        size: dimensions of an embedding.
        part: templates in a full part.
        exact_up_to: templates up to which everything is scanned in full precision.
    """

    def __init__(self, size: int, part: int = PART, exact_up_to: int = EXACT_UP_TO) -> None:
        self.size = size
        self._part, self._exact_up_to = part, exact_up_to
        self._lock = threading.Lock()
        self._parts: tuple[_Part, ...] = ()
        self._room: tuple[Keys, Vectors] = np.empty(0, np.int64), np.empty((0, size), np.float32)

    def __len__(self) -> int:
        return sum(part.alive for part in self._parts)

    def add(self, keys: Keys, vectors: Vectors) -> None:
        """Add templates.

        Args:
            keys: numbers that are not there yet, shape (n,).
            vectors: unit length, shape (n, size).
        """
        with self._lock:
            at = 0
            while at < len(keys):
                at += self._fill(keys[at:], vectors[at:])
            self._quantise()

    def _fill(self, keys: Keys, vectors: Vectors) -> int:
        """Put as many as fit into the last part, or else open another; returns how many."""
        kept, dead, used = self._parts, np.empty(0, np.intp), 0
        last = kept[-1] if kept else None
        if last is not None and last.keys.base is self._room[0] and last.keys.size < self._part:
            kept, dead, used = kept[:-1], last.dead, last.keys.size
        else:
            self._room = np.empty(self._part, np.int64), np.empty((self._part, self.size), np.float32)
        end = min(self._part, used + len(keys))
        for room, new in zip(self._room, (keys, vectors), strict=True):
            room[used:end] = new[: end - used]  # beyond what any snapshot shows
        self._parts = (*kept, _Part(self._room[0][:end], self._room[1][:end], dead))
        return end - used

    def _quantise(self) -> None:
        if sum(part.keys.size for part in self._parts) <= self._exact_up_to:
            return
        full = [part.scan is None and part.keys.size == self._part for part in self._parts]
        self._parts = tuple(
            part._replace(scan=Scan(part.vectors)) if wanted else part
            for part, wanted in zip(self._parts, full, strict=True)
        )

    def remove(self, keys: Sequence[int]) -> None:
        """Take templates out; numbers that are not there are passed over."""
        gone = np.asarray(keys, np.int64)
        if not gone.size:
            return
        with self._lock:
            parts = (self._without(part, gone) for part in self._parts)
            self._parts = tuple(part for part in parts if part.alive)

    def _without(self, part: _Part, gone: Keys) -> _Part:
        dead = np.union1d(part.dead, np.flatnonzero(np.isin(part.keys, gone))).astype(np.intp)
        if dead.size * 8 <= part.keys.size or dead.size == part.keys.size:
            return part._replace(dead=dead)
        keys, vectors = np.delete(part.keys, dead), np.delete(part.vectors, dead, axis=0)
        scan = Scan(vectors) if part.scan else None
        return _Part(keys, vectors, np.empty(0, np.intp), scan)

    def search(self, probe: Vectors, count: int = 1) -> list[Hit]:
        """The most alike templates, best first.

        Args:
            probe: unit length, shape (size,).
            count: how many.
        """
        parts = self._parts
        rounded = Probe.of(probe) if any(part.scan for part in parts) else None
        raw = [_raw_scores(part, probe, rounded) for part in parts]
        lows = [_lower_bounds(part, scores, rounded) for part, scores in zip(parts, raw, strict=True)]
        limit = _nth_largest(lows, count)
        hits: list[Hit] = []
        for part, scores in zip(parts, raw, strict=True):
            rows = _may_reach(part, scores, limit, rounded)
            exact = part.vectors[rows] @ probe if part.scan else scores[rows]
            best = np.argsort(-exact, kind="stable")[:count]
            hits += [Hit(int(part.keys[rows[i]]), float(exact[i])) for i in best]
        return sorted(hits, key=lambda hit: -hit.score)[:count]


def _raw_scores(part: _Part, probe: Vectors, rounded: Probe | None) -> NDArray[Any]:
    """Cosines, or whole numbers where there is a scan; the dead have the lowest of all."""
    if part.scan is None or rounded is None:
        scores = part.vectors @ probe
        scores[part.dead] = -np.inf
        return scores
    numbers = part.scan.raw(rounded)
    numbers[part.dead] = LOWEST
    return numbers


def _lower_bounds(part: _Part, scores: NDArray[Any], rounded: Probe | None) -> NDArray[np.float64]:
    """Cosines that different templates of the part reach at least: the best of each group is enough."""
    whole = scores.size // _GROUP * _GROUP
    best = np.concatenate([scores[:whole].reshape(-1, _GROUP).max(axis=1), scores[whole:]])
    if part.scan is None or rounded is None:
        return best.astype(np.float64)
    low = best * part.scan.scale(rounded) - part.scan.error(rounded)
    return np.where(best == LOWEST, -np.inf, low)


def _nth_largest(lows: Sequence[NDArray[np.float64]], count: int) -> float:
    together = np.concatenate([*lows, np.empty(0)])
    if together.size < count:
        return -np.inf
    return float(np.partition(together, -count)[-count])


def _may_reach(part: _Part, scores: NDArray[Any], limit: float, rounded: Probe | None) -> Rows:
    """Rows whose cosine may be at or above a limit."""
    if part.scan is None or rounded is None:
        return np.flatnonzero(scores >= limit if limit > -np.inf else scores > -np.inf)
    if limit == -np.inf:
        return np.flatnonzero(scores > LOWEST)
    needed = (limit - part.scan.error(rounded)) / part.scan.scale(rounded)
    return np.flatnonzero(scores >= max(int(np.floor(needed)), LOWEST + 1))

"""Search in memory: the highest cosine among all templates.

A snapshot is replaced as a whole, never changed where a search may be reading: searches need no lock and see the
gallery as it was when they began.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Vectors = NDArray[np.float32]


class Hit(NamedTuple):
    """One template found.

    Attributes:
        key: its number.
        score: cosine, -1 to 1; higher is more alike.
    """

    key: int
    score: float


class _Snapshot(NamedTuple):
    keys: Keys
    vectors: Vectors
    dead: NDArray[np.intp]


class ExactIndex:
    """Scans every template: one matrix-vector product.

    Args:
        size: dimensions of an embedding.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._keys = np.empty(0, np.int64)
        self._vectors = np.empty((0, size), np.float32)
        self._now = _Snapshot(self._keys, self._vectors, np.empty(0, np.intp))

    def __len__(self) -> int:
        return self._now.keys.size - self._now.dead.size

    def add(self, keys: Keys, vectors: Vectors) -> None:
        """Add templates.

        Args:
            keys: numbers that are not there yet, shape (n,).
            vectors: unit length, shape (n, size).
        """
        with self._lock:
            start = self._now.keys.size
            end = start + len(keys)
            self._reserve(end)
            self._keys[start:end], self._vectors[start:end] = keys, vectors
            self._now = _Snapshot(self._keys[:end], self._vectors[:end], self._now.dead)

    def remove(self, keys: Sequence[int]) -> None:
        """Take templates out; numbers that are not there are passed over."""
        with self._lock:
            rows = np.flatnonzero(np.isin(self._now.keys, np.asarray(keys, np.int64)))
            dead = np.union1d(self._now.dead, rows)
            if dead.size * 8 > self._now.keys.size:
                self._compact(dead)
            else:
                self._now = self._now._replace(dead=dead)

    def search(self, probe: Vectors, count: int = 1) -> list[Hit]:
        """The most alike templates, best first.

        Args:
            probe: unit length, shape (size,).
            count: how many.
        """
        now = self._now
        scores = now.vectors @ probe
        scores[now.dead] = -np.inf
        count = min(count, scores.size - now.dead.size)
        if count <= 0:
            return []
        best = [int(scores.argmax())] if count == 1 else _best(scores, count)
        return [Hit(int(now.keys[row]), float(scores[row])) for row in best]

    def scores(self, keys: Sequence[int], probe: Vectors) -> list[float]:
        """Cosine of some templates; numbers that are not there are passed over."""
        now = self._now
        rows = np.setdiff1d(np.flatnonzero(np.isin(now.keys, np.asarray(keys, np.int64))), now.dead)
        return (now.vectors[rows] @ probe).tolist()

    def _reserve(self, end: int) -> None:
        if end <= self._keys.size:
            return
        room = max(end, self._keys.size * 3 // 2, 64)
        keys, vectors = np.empty(room, np.int64), np.empty((room, self.size), np.float32)
        used = self._now.keys.size
        keys[:used], vectors[:used] = self._now.keys, self._now.vectors
        self._keys, self._vectors = keys, vectors

    def _compact(self, dead: NDArray[np.intp]) -> None:
        self._keys, self._vectors = (np.delete(a, dead, axis=0) for a in (self._now.keys, self._now.vectors))
        self._now = _Snapshot(self._keys, self._vectors, np.empty(0, np.intp))


def _best(scores: Vectors, count: int) -> list[int]:
    rows = np.argpartition(-scores, count - 1)[:count]
    return rows[np.argsort(-scores[rows], kind="stable")].tolist()


Index = ExactIndex
"""What a gallery of any size is searched by."""

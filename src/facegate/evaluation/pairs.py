"""Which samples are compared: every mated pair, and all or a seeded draw of the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Pairs:
    """Comparisons as indices of samples.

    Attributes:
        probe: shape (n,).
        reference: shape (n,), never the probe itself, and no pair twice.
        mated: both are of one subject, shape (n,); mated pairs come first.
    """

    probe: Index
    reference: Index
    mated: NDArray[np.bool_]


def choose_pairs(subjects: ArrayLike, limit: int = 2_000_000, seed: int = 0) -> Pairs:
    """Pair the samples of one split with each other.

    Args:
        subjects: subject of each sample, shape (n,).
        limit: most non-mated pairs; where there are more, a draw of this size is taken.
        seed: of the draw.
    """
    _, code = np.unique(np.asarray(subjects), return_inverse=True)
    order = np.argsort(code, kind="stable")
    blocks = np.split(order, np.cumsum(np.bincount(code))[:-1]) if code.size else []
    mated = _joined([_all_pairs(np.sort(block)) for block in blocks])
    others = code.size * (code.size - 1) // 2 - len(mated)
    strange = _nonmated(code) if others <= limit else _drawn(code, limit, seed)
    both = np.concatenate([mated, strange])
    return Pairs(both[:, 0], both[:, 1], np.arange(len(both)) < len(mated))


def _all_pairs(members: Index) -> Index:
    first, second = np.triu_indices(members.size, 1)
    return np.stack([members[first], members[second]], axis=1)


def _nonmated(code: Index) -> Index:
    pairs = _all_pairs(np.arange(code.size))
    return pairs[code[pairs[:, 0]] != code[pairs[:, 1]]]


def _drawn(code: Index, limit: int, seed: int) -> Index:
    rng, size = np.random.default_rng(seed), code.size
    found = np.empty(0, np.int64)
    while found.size < limit:
        first, second = rng.integers(0, size, (2, limit))
        keep = (first < second) & (code[first] != code[second])
        fresh = first[keep] * size + second[keep]
        distinct, at = np.unique(np.concatenate([found, fresh]), return_index=True)
        found = distinct[np.argsort(at)][:limit]
    return np.stack(np.divmod(np.sort(found), size), axis=1)


def _joined(parts: list[Index]) -> Index:
    return np.concatenate([np.empty((0, 2), np.intp), *parts])

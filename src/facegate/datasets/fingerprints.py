"""Is this picture in the set twice: exact and perceptual fingerprints.

The exact one is the SHA-256 of the encoded picture. The perceptual one is a difference hash of 256 bits: the
picture is averaged down to 17 × 16 grey cells and every cell is compared with its right neighbour. It survives
re-encoding, resizing and small changes of tone, which is how one photograph gets into a set twice.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 16
BITS = SIDE * SIDE
LIKELY_SAME = 10
"""Pictures that differ in at most so many of the 256 bits are taken for one picture."""
_BYTES = BITS // 8
_CROWD = 64


class Fingerprint(NamedTuple):
    """Both fingerprints of a picture and its true size in pixels."""

    exact: bytes
    perceptual: bytes
    width: int
    height: int


def fingerprint(data: bytes) -> Fingerprint:
    """Fingerprint an encoded picture; one that cannot be decoded has size 0 and no perceptual fingerprint."""
    exact = hashlib.sha256(data).digest()
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        return Fingerprint(exact, b"", 0, 0)
    return Fingerprint(exact, difference_hash(np.asarray(image, np.uint8)), image.shape[1], image.shape[0])


def difference_hash(grey: NDArray[np.uint8]) -> bytes:
    """Difference hash of a grey picture (height, width): 32 bytes."""
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def near_pairs(
    hashes: list[bytes], groups: list[str], most: int = LIKELY_SAME
) -> Iterator[tuple[int, int, int]]:
    """Pairs of pictures of different groups whose hashes differ in at most `most` bits.

    Two hashes that differ in at most `most` bits agree in at least one of ``most + 1`` bands, so only
    pictures that share a band are compared. Of a band value shared by a crowd (an empty border) only
    neighbours in hash order are compared.

    Args:
        hashes: 32 bytes each; empty ones match nothing, nor do those of pictures of one even tone.
        groups: what each picture belongs to, for instance its split.
        most: largest Hamming distance.

    Yields:
        Index, larger index, distance; every pair once.
    """
    valid = np.array([i for i, value in enumerate(hashes) if _has_structure(value, most)], np.int64)
    if len(valid) < 2:
        return
    bits = np.unpackbits(
        np.frombuffer(b"".join(hashes[i] for i in valid), np.uint8).reshape(-1, _BYTES), axis=1
    )
    names = np.unique(np.array(groups, object)[valid].astype(str), return_inverse=True)[1]
    seen: set[tuple[int, int]] = set()
    for band in np.array_split(np.arange(BITS), most + 1):
        for a, b in _sharing(bits, band, names):
            pair = (int(valid[a]), int(valid[b]))
            distance = int(np.count_nonzero(bits[a] != bits[b]))
            if distance <= most and pair not in seen:
                seen.add(pair)
                yield *pair, distance


def _has_structure(value: bytes, most: int) -> bool:
    return int.from_bytes(value).bit_count() > most


def _sharing(
    bits: NDArray[np.uint8], band: NDArray[np.intp], groups: NDArray[np.intp]
) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the smaller first, that agree in a band of bits and belong to different groups."""
    keys = np.packbits(bits[:, band], axis=1)
    order = np.lexsort((*np.packbits(bits, axis=1).T[::-1], *keys.T[::-1]))
    starts = np.flatnonzero(np.r_[True, (keys[order][1:] != keys[order][:-1]).any(axis=1)])
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        members = order[start:stop]
        if len(members) < 2 or (groups[members] == groups[members[0]]).all():
            continue
        for position, a in enumerate(members):
            for b in members[position + 1 : position + 1 + _CROWD]:
                if groups[a] != groups[b]:
                    yield (int(a), int(b)) if a < b else (int(b), int(a))

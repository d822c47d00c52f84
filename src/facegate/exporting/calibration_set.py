"""Which pictures set the ranges of an int8 model: training people only, by a list that is hashed.

A range taken from a validation or test picture would leak it into the model, so that such a row is refused
wherever it comes from. The choice follows the hash of each sample's id: it does not depend on the order of
the pack, and a larger set contains the smaller one.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Split
from facegate.datasets.pack import Pack
from facegate.errors import ValidationError


@dataclass(frozen=True)
class CalibrationSet:
    """Rows of a pack that an int8 model is calibrated on.

    Attributes:
        rows: row numbers.
        sample_ids: their ids, in the same order.
        digest: SHA-256 over the sorted ids; the contract carries it.
    """

    rows: tuple[int, ...]
    sample_ids: tuple[str, ...]
    digest: str


def choose(pack: Pack, count: int) -> CalibrationSet:
    """Choose up to `count` rows of the training split.

    Raises:
        ValidationError: the pack has no training row.
    """
    train = np.flatnonzero(pack.column("split") == Split.TRAIN)
    if not len(train):
        raise ValidationError(
            f"{pack.path}: no row of the training split to calibrate on", "run `dvc repro` to prepare it anew"
        )
    return listed(pack, hashed_order(pack, train)[:count])


def hashed_order(pack: Pack, rows: Iterable[int]) -> list[int]:
    """Rows in the order of the SHA-256 of their sample ids."""
    ids = pack.column("sample_id")
    return sorted((int(row) for row in rows), key=lambda row: hashlib.sha256(ids[row].encode()).digest())


def listed(pack: Pack, rows: Sequence[int]) -> CalibrationSet:
    """A calibration set of given rows.

    Raises:
        ValidationError: a row belongs to the validation or test split.
    """
    splits, ids = pack.column("split"), pack.column("sample_id")
    foreign = [row for row in rows if splits[row] != Split.TRAIN]
    if foreign:
        raise ValidationError(
            f"{pack.path}: row {foreign[0]} ({ids[foreign[0]]}) belongs to the {splits[foreign[0]]} split and "
            "may not calibrate a model",
            "calibrate on rows of the training split",
        )
    names = tuple(str(ids[row]) for row in rows)
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
    return CalibrationSet(tuple(int(row) for row in rows), names, digest)


def normalised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (N, H, W, 3) as the float graph takes them: planes (N, 3, H, W), ``(value - 128) / 128``."""
    planes = (pictures.astype(np.float32) - np.float32(128)) / np.float32(128)
    return np.ascontiguousarray(planes.transpose(0, 3, 1, 2), np.float32)

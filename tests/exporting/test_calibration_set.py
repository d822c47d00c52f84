import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from facegate.datasets.pack import Pack
from facegate.errors import ValidationError
from facegate.exporting.calibration_set import choose, listed, normalised


@pytest.fixture(scope="module")
def pack(make_pack: Callable[[int], Pack]) -> Pack:
    return make_pack(8)


def test_only_training_rows_are_chosen(pack: Pack) -> None:
    chosen = choose(pack, 100)
    assert len(chosen.rows) == 36
    assert all(name.startswith("train-") for name in chosen.sample_ids)


def test_larger_set_contains_the_smaller_one(pack: Pack) -> None:
    few, many = choose(pack, 8), choose(pack, 20)
    assert many.rows[:8] == few.rows
    assert few.digest != many.digest


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_row_of_another_split_is_refused(pack: Pack, split: str) -> None:
    rows = np.flatnonzero(pack.column("split") == "train")[:5].tolist()
    rows.append(int(np.flatnonzero(pack.column("split") == split)[0]))
    with pytest.raises(ValidationError, match=f"{split}-000.*{split} split"):
        listed(pack, rows)


def test_digest_is_that_of_the_sorted_ids(pack: Pack) -> None:
    rows = np.flatnonzero(pack.column("split") == "train")[[4, 1]].tolist()
    expected = hashlib.sha256(b"train-001\ntrain-004").hexdigest()
    assert listed(pack, rows).digest == listed(pack, rows[::-1]).digest == expected


def test_normalised_is_exact_and_planar() -> None:
    pictures = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    planes = normalised(pictures)
    assert planes.shape == (1, 3, 16, 16)
    np.testing.assert_array_equal(planes[0, 2].ravel(), (np.arange(256) - 128) / 128)

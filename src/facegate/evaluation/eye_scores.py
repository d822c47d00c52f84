"""Eyes into score tables: both eyes of a face scored, clean and made worse, one row a face."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import ModelContract, Split
from facegate.datasets.eye_effects import motion_blur
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.corruptions import noise

OPEN, CLOSED = 0.35, 0.65
"""Closure up to which eyes are open and from which they are closed; between them neither answer is wrong."""
NOISE = 0.3
"""Strength of the noise of ``score_hard``: a standard deviation of 12 grey levels."""


class Eyes(NamedTuple):
    """Frames of one split; all have shape (n,)."""

    subjects: NDArray[Any]
    species: NDArray[Any]
    scores: NDArray[np.float32]
    hard: NDArray[np.float32]
    closure: NDArray[np.float32]
    clips: NDArray[Any]
    times: NDArray[np.float32]
    samples: NDArray[Any]


COLUMNS = ("subject_id", "species", "score", "score_hard", "closure", "clip_id", "time_s", "sample_id")
"""Of an eye table, as the fields of :class:`Eyes`."""


def score_eyes(
    model: Any, contract: ModelContract, pack: Pack, rows: NDArray[np.intp], batch: int = 256
) -> dict[str, Any]:
    """Columns of an eye table: each face once, its score the mean of its eyes.

    Args:
        model: a session of the bundle.
        contract: the bundle's contract.
        pack: the eye crops; the eyes of a face are neighbours.
        rows: their rows.
        batch: crops scored at once.
    """
    opened = contract.classes.index("open")
    clean, hard = [], []
    for start in range(0, rows.size, batch):
        part = rows[start : start + batch]
        pictures = pack.images(part)
        clean.append(model.run(pictures)[:, opened])
        worse = [_worsened(p, int(row)) for p, row in zip(pictures, part, strict=True)]
        hard.append(model.run(np.stack(worse))[:, opened])
    names = [name.rsplit("/", 1)[0] for name in pack.column("sample_id")[rows]]
    faces, first, code = np.unique(names, return_index=True, return_inverse=True)
    count = np.bincount(code)
    kept = ("subject_id", "species", "split", "glasses", "clip_id", "time_s")
    columns = {name: pack.column(name)[rows[first]] for name in kept}
    return {
        "sample_id": faces.astype(object),
        **columns,
        "glasses": [None if g is None else bool(g) for g in columns["glasses"]],
        "closure": pack.column("blink")[rows[first]].astype(np.float32),
        "score": (np.bincount(code, np.concatenate(clean)) / count).astype(np.float32),
        "score_hard": (np.bincount(code, np.concatenate(hard)) / count).astype(np.float32),
    }


def _worsened(crop: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([9, row])
    return noise(motion_blur(crop, rng), NOISE, rng)


def eyes(table: pa.Table, split: Split) -> Eyes:
    """Frames of one split of an eye table.

    Raises:
        NotMeasurableError: it holds no open or no closed eyes.
    """
    chosen = np.flatnonzero(table["split"].to_numpy(zero_copy_only=False) == split.value)
    found = Eyes(*(table[name].to_numpy(zero_copy_only=False)[chosen] for name in COLUMNS))
    if not (found.closure <= OPEN).any() or not (found.closure >= CLOSED).any():
        raise NotMeasurableError(
            f"the {split} split lacks open or closed eyes", "raise `data.synthetic.clip_people`"
        )
    return found

"""Score tables on disk: every comparison and presentation with its ids, so that no figure needs the model again.

Parquet, written beside its place and renamed. The file's own metadata name the model and the crops behind it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facegate.contracts import (
    COMPARISON_COLUMNS,
    EYE_COLUMNS,
    PRESENTATION_COLUMNS,
    Column,
    Split,
    Task,
)
from facegate.datasets.pack import arrow_schema
from facegate.errors import NotMeasurableError, PackError
from facegate.whole import whole_file

_KEY = b"facegate"
COLUMNS: Mapping[Task, Sequence[Column]] = {
    Task.RECOGNITION: COMPARISON_COLUMNS,
    Task.SPOOF: PRESENTATION_COLUMNS,
    Task.LIVENESS: PRESENTATION_COLUMNS,
    Task.EYES: EYE_COLUMNS,
}


@dataclass(frozen=True)
class Comparisons:
    """Comparisons within one split.

    Attributes:
        samples: distinct sample ids, shape (s,).
        subjects: number of each sample's subject, shape (s,).
        people: subject ids by number.
        probe: index into `samples`, shape (n,).
        reference: index into `samples`, shape (n,).
        mated: both are of one subject, shape (n,).
        scores: float32, shape (n,).
    """

    samples: NDArray[Any]
    subjects: NDArray[np.intp]
    people: NDArray[np.object_]
    probe: NDArray[np.intp]
    reference: NDArray[np.intp]
    mated: NDArray[np.bool_]
    scores: NDArray[np.float32]

    @property
    def probe_subjects(self) -> NDArray[np.intp]:
        """Number of the probe's subject, shape (n,)."""
        return self.subjects[self.probe]

    @property
    def reference_subjects(self) -> NDArray[np.intp]:
        """Number of the reference's subject, shape (n,)."""
        return self.subjects[self.reference]


@dataclass(frozen=True)
class Presentations:
    """Presentations of one split; all attributes have shape (n,)."""

    samples: NDArray[Any]
    subjects: NDArray[np.object_]
    species: NDArray[np.object_]
    scores: NDArray[np.float32]

    def at(self, rows: NDArray[Any]) -> "Presentations":
        """Some of them, by index or mask."""
        return Presentations(self.samples[rows], self.subjects[rows], self.species[rows], self.scores[rows])


def write_table(path: Path, columns: Mapping[str, Any], task: Task, about: Mapping[str, Any]) -> None:
    """Write a score table, whole or not at all.

    Args:
        path: the ``.parquet`` file.
        columns: the columns of the task's schema.
        task: recognition or spoof.
        about: anything JSON can hold, kept in the file.

    Raises:
        PackError: a column is missing or does not fit, or the disk is full.
    """
    schema = arrow_schema(COLUMNS[task])
    try:
        table = pa.table(dict(columns), schema=schema)
        note = json.dumps({"task": task, **about}, sort_keys=True).encode()
        with whole_file(path) as draft:
            pq.write_table(table.replace_schema_metadata({_KEY: note}), draft, compression="zstd")
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError) as error:
        raise PackError(
            f"{path}: the scores do not fit a {task} table: {error}", "check the columns"
        ) from error
    except OSError as error:
        raise PackError(
            f"{path}: cannot be written: {error}", "check the folder's rights and the disk"
        ) from error


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a score table and what it says of itself.

    Raises:
        PackError: it is missing, corrupt, or no score table.
    """
    try:
        table = pq.read_table(path)
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
    except FileNotFoundError as error:
        raise PackError(f"{path}: no such score table", "run `dvc repro evaluate`") from error
    except (pa.ArrowInvalid, OSError, KeyError, ValueError) as error:
        reason = "it does not say which model gave its scores" if isinstance(error, KeyError) else error
        raise PackError(
            f"{path}: no score table: {reason}",
            "name one below scores/; `dvc repro evaluate` writes it anew where it is gone",
        ) from error
    missing = {c.name for c in COLUMNS[Task(about["task"])]} - set(table.schema.names)
    if missing:
        raise PackError(f"{path}: columns {sorted(missing)} are missing", "run `dvc repro` to write it anew")
    return table, about


def comparisons(table: pa.Table, split: Split) -> Comparisons:
    """Comparisons of one split of a recognition table.

    Raises:
        NotMeasurableError: the table holds none.
    """
    part = _part(table, split)
    ids = pa.chunked_array([*part["probe_id"].chunks, *part["reference_id"].chunks], pa.string())
    whose = pa.chunked_array([*part["probe_subject"].chunks, *part["reference_subject"].chunks], pa.string())
    samples, code, first = _coded(ids)
    people, subject, _ = _coded(whose)
    return Comparisons(
        samples,
        subject[first],
        people,
        code[: len(part)],
        code[len(part) :],
        part["mated"].to_numpy(),
        part["score"].to_numpy(),
    )


def presentations(table: pa.Table, split: Split) -> Presentations:
    """Presentations of one split of a spoof table.

    Raises:
        NotMeasurableError: the table holds none.
    """
    part = _part(table, split)
    return Presentations(*(part[name].to_numpy() for name in ("sample_id", "subject_id", "species", "score")))


def _part(table: pa.Table, split: Split) -> pa.Table:
    part = table.filter(pc.field("split") == split.value)
    if not len(part):
        raise NotMeasurableError(
            f"the score table holds nothing of the {split} split", "raise that split's share of people"
        )
    return part


def _coded(strings: pa.ChunkedArray) -> tuple[NDArray[np.object_], NDArray[np.intp], NDArray[np.intp]]:
    """Distinct strings in their order, the number of each string, and where each occurs first."""
    encoded = strings.combine_chunks().dictionary_encode()
    names, raw = np.asarray(encoded.dictionary.to_pylist(), object), encoded.indices.to_numpy()
    order = np.argsort(names.astype(str))
    rank = np.empty(order.size, np.intp)
    rank[order] = np.arange(order.size)
    code = rank[raw]
    return names[order], code, np.unique(code, return_index=True)[1]

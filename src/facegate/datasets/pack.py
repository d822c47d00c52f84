"""Arrow packs: a data set as a few memory-mappable files instead of 200,000 loose ones.

A pack is a folder: ``part-00000.arrow`` … (Arrow IPC files, encoded image bytes beside their columns) and
``pack.json`` (row count, schema name, free metadata, SHA-256 of each part). It is written into a folder
beside its place and renamed at the end, so that a half-written pack is never taken for a whole one.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Column, Split
from facegate.errors import PackError

_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "binary": pa.binary(),
    "list<float32>": pa.list_(pa.float32()),
}
MANIFEST = "pack.json"
ROWS_PER_BATCH = 256
"""Rows that a writer holds in memory."""


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Arrow schema of a list of columns."""
    return pa.schema([pa.field(c.name, _ARROW_TYPES[c.type], nullable=c.nullable) for c in columns])


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class PackWriter:
    """Writes rows into a pack; use as a context manager.

    The pack appears at ``path`` only when the block ends without an exception, replacing what was there.

    Args:
        path: folder of the finished pack.
        columns: its columns, for instance ``SAMPLE_COLUMNS``.
        metadata: anything JSON can hold, kept in the manifest.
        rows_per_part: rows per Arrow file.

    Raises:
        PackError: a row does not fit the columns, or the disk is full.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        metadata: Mapping[str, Any] | None = None,
        rows_per_part: int = 4096,
    ) -> None:
        self.path = Path(path)
        self.schema = arrow_schema(columns)
        self.metadata = dict(metadata or {})
        self.rows_per_part = rows_per_part
        self._draft = self.path.with_name(f".{self.path.name}.partial")
        self._pending: list[Mapping[str, Any]] = []
        self._parts: list[dict[str, Any]] = []
        self._part: pa.RecordBatchFileWriter | None = None
        self._rows_in_part = 0
        self._open_files = ExitStack()

    def __enter__(self) -> Self:
        shutil.rmtree(self._draft, ignore_errors=True)
        try:
            self._draft.mkdir(parents=True)
        except OSError as error:
            raise disk_error(self.path, error) from error
        return self

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row; columns that it lacks become null."""
        self._pending.append(row)
        if len(self._pending) >= min(ROWS_PER_BATCH, self.rows_per_part - self._rows_in_part):
            self._flush()

    def write_all(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append many rows."""
        for row in rows:
            self.write(row)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(OSError):  # a full disk was told of already
                self._open_files.close()
            shutil.rmtree(self._draft, ignore_errors=True)

    def _finish(self) -> None:
        self._flush()
        self._close_part()
        manifest = {
            "rows": sum(part["rows"] for part in self._parts),
            "columns": self.schema.names,
            "metadata": self.metadata,
            "parts": self._parts,
        }
        try:
            (self._draft / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
            shutil.rmtree(self.path, ignore_errors=True)
            self._draft.rename(self.path)
        except OSError as error:
            raise disk_error(self.path, error) from error

    def _flush(self) -> None:
        """Write what is pending as one batch, and close the part if it is full."""
        if not self._pending:
            return
        table = self._table()
        try:
            if self._part is None:
                sink = self._open_files.enter_context(pa.OSFile(str(self._part_file), "wb"))
                self._part = self._open_files.enter_context(pa.ipc.new_file(sink, self.schema))
            self._part.write_table(table)
        except OSError as error:
            raise disk_error(self.path, error) from error
        self._rows_in_part += len(self._pending)
        self._pending = []
        if self._rows_in_part >= self.rows_per_part:
            self._close_part()

    def _close_part(self) -> None:
        if self._part is None:
            return
        file = self._part_file
        try:
            self._open_files.close()
        except OSError as error:
            raise disk_error(self.path, error) from error
        self._parts.append({"file": file.name, "rows": self._rows_in_part, "sha256": sha256_file(file)})
        self._part, self._rows_in_part = None, 0

    @property
    def _part_file(self) -> Path:
        return self._draft / f"part-{len(self._parts):05d}.arrow"

    def _table(self) -> pa.Table:
        unknown = set().union(*self._pending) - set(self.schema.names)
        if unknown:
            raise PackError(
                f"{self.path}: rows carry unknown columns {sorted(unknown)}",
                "write only columns of the pack's schema; put anything else into `attributes`",
            )
        try:
            table = pa.Table.from_pylist([dict(row) for row in self._pending], schema=self.schema)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise PackError(
                f"{self.path}: a row does not fit its schema: {error}", "check the row's types"
            ) from error
        empty = [f.name for f in self.schema if not f.nullable and table.column(f.name).null_count]
        if empty:
            raise PackError(f"{self.path}: rows lack a value in {empty}", "fill the required columns")
        return table


class Pack:
    """A pack opened for reading; the Arrow files stay memory-mapped.

    Attributes:
        path: folder of the pack.
        table: all rows.
        metadata: what its writer kept in the manifest.
        digest: SHA-256 over the parts' hashes; equal packs have equal digests.
    """

    def __init__(self, path: Path, table: pa.Table, metadata: dict[str, Any], digest: str) -> None:
        self.path = path
        self.table = table
        self.metadata = metadata
        self.digest = digest

    def __len__(self) -> int:
        return self.table.num_rows

    def column(self, name: str) -> NDArray[Any]:
        """One column as an array: numbers (nulls as NaN), or objects for strings and lists."""
        return self.table.column(name).to_numpy()

    @property
    def synthetic(self) -> bool:
        """Whether it shows rendered people only."""
        return set(self.column("source")) == {"synthetic"}

    def rows_named(self, samples: Iterable[str]) -> NDArray[np.intp]:
        """Rows of some samples by their ids, in order, shape (n,).

        Raises:
            KeyError: the pack holds no such sample.
        """
        row_of = {name: row for row, name in enumerate(self.column("sample_id"))}
        return np.array([row_of[name] for name in samples], np.intp)

    def row(self, index: int) -> dict[str, Any]:
        """All columns of one row but the image bytes."""
        names = [name for name in self.table.schema.names if name != "image"]
        return {name: self.table.column(name)[index].as_py() for name in names}

    def rows(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """Rows `start` to `stop` (exclusive) with all columns, the image bytes among them."""
        stop = len(self) if stop is None else stop
        return self.table.slice(start, stop - start).to_pylist()

    def image(self, index: int) -> NDArray[np.uint8]:
        """Picture of one row.

        Returns:
            RGB, shape (height, width, 3), 0 to 255.

        Raises:
            PackError: the bytes cannot be decoded.
        """
        data: bytes = self.table.column("image")[index].as_py()
        return decode_image(data, f"{self.path} row {index}")

    def images(self, indices: Iterable[int] | None = None) -> NDArray[np.uint8]:
        """Pictures of several rows of one size, shape (n, height, width, 3); of all rows by default."""
        wanted = range(len(self)) if indices is None else indices
        return np.stack([self.image(int(i)) for i in wanted])


def open_pack(path: Path, columns: Sequence[Column] | None = None, *, verify: bool = False) -> Pack:
    """Open a pack.

    Args:
        path: its folder.
        columns: the columns that the caller relies on; others may be there too.
        verify: also read every byte and compare the parts with their SHA-256.

    Raises:
        PackError: the pack is missing, truncated, corrupt, or lacks a column.
    """
    path = Path(path)
    manifest = _read_manifest(path)
    tables: list[pa.Table] = []
    for part in manifest["parts"]:
        file = path / part["file"]
        if verify and file.is_file() and sha256_file(file) != part["sha256"]:
            raise _corrupt(file, "its SHA-256 differs from the manifest's")
        try:
            table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise _corrupt(file, str(error).splitlines()[0]) from error
        if table.num_rows != part["rows"]:
            raise _corrupt(file, f"it holds {table.num_rows} rows and the manifest says {part['rows']}")
        tables.append(table)
    if not tables:
        raise PackError(f"{path}: the pack has no rows", "look at the report of the stage that wrote it")
    table = pa.concat_tables(tables)
    missing = [c.name for c in columns or () if c.name not in table.schema.names]
    if missing:
        raise PackError(f"{path}: columns {missing} are missing", "run `dvc repro` to write the pack anew")
    digest = hashlib.sha256("".join(part["sha256"] for part in manifest["parts"]).encode()).hexdigest()
    return Pack(path, table, manifest["metadata"], digest)


def rows_of(path: Path) -> int:
    """Number of rows that a pack's manifest states; a pack that its source has nothing for has none.

    Raises:
        PackError: the pack is missing, or its manifest is corrupt.
    """
    return sum(part["rows"] for part in _read_manifest(Path(path))["parts"])


_PNG = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
)
"""No search for repeated strings and one filter for all rows: half the time to write, two thirds to read, a tenth larger."""


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Lossless encoding of an RGB picture of shape (height, width, 3)."""
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _PNG)
    if not done:
        raise PackError("a picture could not be encoded as PNG", "check its shape and type")
    return data.tobytes()


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """Encoding of a large RGB picture of shape (height, width, 3); `quality` is 0 to 100."""
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PackError("a picture could not be encoded as JPEG", "check its shape and type")
    return data.tobytes()


def decode_image(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode image bytes that a pack carries into RGB; `name` appears in the error."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise PackError(
            f"{name}: the image bytes cannot be decoded", "run `dvc repro` to write the pack anew"
        )
    return np.asarray(image, np.uint8)


def open_split(path: Path, split: Split, columns: Sequence[Column]) -> tuple[Pack, NDArray[np.intp]]:
    """A pack for training, and its rows in one split, shape (n,); n may be 0.

    Raises:
        PackError: the pack is unreadable, or it is the test split, which no part of training may see.
    """
    if split is Split.TEST:
        raise PackError(f"{path}: training asked for the test split", "judge trained models in `evaluate`")
    pack = open_pack(path, columns)
    return pack, np.flatnonzero(pack.column("split") == split)


def _read_manifest(path: Path) -> dict[str, Any]:
    if not (path / MANIFEST).is_file():
        raise PackError(
            f"{path}: no pack here ({MANIFEST} is missing)",
            "run `dvc repro`, or `dvc checkout` to restore it",
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        return {"parts": manifest["parts"], "metadata": manifest["metadata"]}
    except (ValueError, KeyError, TypeError) as error:
        raise _corrupt(path / MANIFEST, str(error)) from error


def _corrupt(file: Path, why: str) -> PackError:
    return PackError(f"{file}: corrupt or truncated: {why}", f"delete {file.parent} and run `dvc repro`")


def disk_error(path: Path, error: OSError) -> PackError:
    """The error to raise when `path` could not be written."""
    if error.errno == errno.ENOSPC:
        return PackError(
            f"{path}: the disk is full", "free some space and run `dvc repro` again; nothing finished is lost"
        )
    return PackError(f"{path}: cannot be written: {error}", "check the folder's rights and the disk")

"""The binary formats of InsightFace: verification sets (``.bin``) and training packs (``.rec`` + ``.idx``).

A ``.bin`` is a pickle of (list of JPEG bytes, list of booleans), two pictures to a boolean. Unpickling a
download runs whatever code it names, so the reader here can build lists, bytes and booleans and nothing else.
A ``.rec`` is MXNet's indexed RecordIO: record 0 is a header whose label tells where the pictures end; it is
read without MXNet, picture by picture where they lie.

The ``.bin`` files carry no identities: every pair's pictures get names of their own, so compare only the
pairs of the protocol.
"""

import io
import mmap
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facegate.contracts import Split
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.layout import choose_protocol, find, malformed, table
from facegate.sources.records import Pair, Record, Span, record
from facegate.sources.splits import split_subjects

NAME = "insightface"
PINS: dict[str, str] = {}
BINS = ("lfw", "cfp_fp", "agedb_30", "calfw", "cplfw")
PROTOCOLS = ("train", *BINS)
FOLDS = 10
_SPOILT = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    MemoryError,
    OSError,
)
"""What a pickle that is cut off, spoilt or no pickle at all can end in."""
_MAGIC = 0xCED7230A
_PREFIX = struct.Struct("<II")
_HEADER = struct.Struct("<IfQQ")


def samples(root: Path, protocol: str, split: SplitParams) -> Iterator[Record]:
    """Records of ``train.rec``, split by identity, or of one ``.bin``, all for testing.

    Raises:
        SourceError: a file is missing, corrupt, or holds what it should not.
    """
    wanted = choose_protocol(NAME, protocol, PROTOCOLS)
    if wanted != "train":
        yield from _bin_records(find(NAME, root, f"{wanted}.bin"), wanted)
        return
    file = find(NAME, root, "train.rec")
    labelled = list(read_rec(file, find(NAME, root, "train.idx")))
    splits = split_subjects((str(label) for _, label, _ in labelled), split)
    for key, label, span in labelled:
        yield record(file, f"train/{key}", str(label), splits[str(label)], NAME)._replace(span=span)


def pairs(root: Path, protocol: str) -> list[Pair]:
    """The comparisons of a ``.bin`` in ten folds; none for ``train``.

    Raises:
        SourceError: see :func:`samples`.
    """
    wanted = choose_protocol(NAME, protocol, PROTOCOLS)
    if wanted == "train":
        return []
    mated = read_bin(find(NAME, root, f"{wanted}.bin"))[1]
    size = -(-len(mated) // FOLDS)
    names = [(f"{wanted}/{2 * i:05d}", f"{wanted}/{2 * i + 1:05d}") for i in range(len(mated))]
    return [Pair(i // size + 1, *names[i], same) for i, same in enumerate(mated)]


def _bin_records(file: Path, name: str) -> Iterator[Record]:
    pictures, mated = read_bin(file)
    for number, data in enumerate(pictures):
        pair = number // 2
        subject = f"{name}-{pair:05d}" + ("" if mated[pair] else "ab"[number % 2])
        yield record(file, f"{name}/{number:05d}", subject, Split.TEST, NAME)._replace(content=data)


def read_bin(file: Path) -> tuple[list[bytes], list[bool]]:
    """Pictures and labels of a ``.bin``.

    Raises:
        SourceError: the pickle names anything but bytes and booleans, is cut off, or its counts do not fit.
    """
    try:
        pictures, mated = _Restricted(io.BytesIO(file.read_bytes()), encoding="latin1").load()
        found = [_as_bytes(item) for item in pictures], [_as_bool(item) for item in mated]
    except _SPOILT as error:
        raise SourceError(
            f"{file}: not a list of pictures and labels: {error}", "fetch the file again from its publisher"
        ) from error
    if len(found[0]) != 2 * len(found[1]) or not found[1]:
        raise SourceError(
            f"{file}: {len(found[0])} pictures for {len(found[1])} pairs", "fetch the file again"
        )
    return found


def _encode(text: str, encoding: str) -> bytes:
    """Stand-in for ``_codecs.encode``, by which old pickle protocols write bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


class _Restricted(pickle.Unpickler):
    """Builds lists, tuples, bytes, text, numbers and booleans; every other name is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse everything but the way in which old protocols write bytes."""
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it wants to call {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to anything outside the file."""
        raise pickle.UnpicklingError("it refers to something outside the file")


def _as_bytes(item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode("latin1")
    if not isinstance(item, bytes):
        raise TypeError(f"a picture is of type {type(item).__name__}")
    return item


def _as_bool(item: Any) -> bool:
    if not isinstance(item, (bool, int)):
        raise TypeError(f"a label is of type {type(item).__name__}")
    return bool(item)


def read_rec(file: Path, index: Path) -> Iterator[tuple[int, int, Span]]:
    """Key, identity and place of every picture of a record file.

    Raises:
        SourceError: a record is cut off, or the index does not fit the file.
    """
    offsets = {int(key): int(offset) for key, offset in table(index, 2)}
    if 0 not in offsets:
        raise malformed(index, 1, "record 0, the header, is missing")
    with file.open("rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as data:
        labels, _ = _record_at(data, file, offsets[0])
        end = int(labels[0]) if len(labels) > 1 else max(offsets) + 1
        for key in sorted(k for k in offsets if 0 < k < end):
            labels, span = _record_at(data, file, offsets[key])
            yield key, int(labels[0]), span


def _record_at(data: mmap.mmap, file: Path, offset: int) -> tuple[tuple[float, ...], Span]:
    """Labels of a record and where its picture lies."""
    start = offset + _PREFIX.size
    try:
        magic, length = _PREFIX.unpack_from(data, offset)
        flag, label, _, _ = _HEADER.unpack_from(data, start)
        labels = struct.unpack_from(f"<{flag}f", data, start + _HEADER.size) if 0 < flag < 1000 else (label,)
    except struct.error as error:
        raise SourceError(f"{file}: cut off at byte {offset}", "fetch the file again") from error
    if magic != _MAGIC or length >> 29 or start + length > len(data):
        raise SourceError(f"{file}: no whole record at byte {offset}", "fetch train.rec and train.idx again")
    head = _HEADER.size + (4 * flag if flag else 0)
    return labels, Span(start + head, length - head)

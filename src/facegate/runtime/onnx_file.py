"""Metadata and opset of an ONNX file, read and written without the ``onnx`` package.

The edge has no ``onnx`` installed, and yet must see the contract inside the file. An ONNX model is one
protobuf message; its metadata are entries of field 14 and its operator sets of field 8. Walking the outermost
fields is all that is needed, and appending an entry is valid protobuf.

Standards: Protocol Buffers encoding; ``onnx.proto3`` (ModelProto, StringStringEntryProto, OperatorSetIdProto).
"""

from collections.abc import Iterator
from typing import NamedTuple

_OPSET_IMPORT, _METADATA = 8, 14


class _Field(NamedTuple):
    number: int
    value: bytes | int
    start: int
    end: int


def read_metadata(model: bytes) -> dict[str, str]:
    """Metadata of an ONNX file.

    Raises:
        ValueError: the bytes are no protobuf message, or a key occurs twice.
    """
    found: dict[str, str] = {}
    for field in _fields(model):
        if field.number == _METADATA:
            key, value = _entry(field)
            if key in found:
                raise ValueError(f"the metadata key {key} occurs twice")
            found[key] = value
    return found


def write_metadata(model: bytes, key: str, value: str) -> bytes:
    """The same model with one metadata entry set; every other byte is kept.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    kept = [
        model[f.start : f.end] for f in _fields(model) if not (f.number == _METADATA and _entry(f)[0] == key)
    ]
    entry = message(1, key.encode()) + message(2, value.encode())
    return b"".join([*kept, message(_METADATA, entry)])


def read_opset(model: bytes) -> int:
    """Version of the default operator set; 0 where the file names none.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    for field in _fields(model):
        if field.number == _OPSET_IMPORT and isinstance(field.value, bytes):
            parts = {inner.number: inner.value for inner in _fields(field.value)}
            if parts.get(1, b"") in (b"", b"ai.onnx"):
                return int(parts.get(2, 0))
    return 0


def _entry(field: _Field) -> tuple[str, str]:
    if not isinstance(field.value, bytes):
        raise ValueError("a metadata entry is no message")
    parts = {inner.number: inner.value for inner in _fields(field.value)}
    key, value = parts.get(1, b""), parts.get(2, b"")
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        raise ValueError("a metadata entry holds no text")
    return key.decode(), value.decode()


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
        elif kind in (1, 2, 5):
            length, at = _varint(message, at) if kind == 2 else (8 if kind == 1 else 4, at)
            value, at = message[at : at + length], at + length
        else:
            raise ValueError("the bytes are no protobuf message")
        if at > len(message):
            raise ValueError("the file ends within a field")
        yield _Field(tag >> 3, value, start, at)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("the file ends within a number")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def message(number: int, body: bytes) -> bytes:
    """A field that holds a message, text or bytes."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(value: int) -> bytes:
    """A whole number, not negative, seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

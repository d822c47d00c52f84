"""What an image file says about itself, read from its bytes without decoding a pixel.

A decoder allocates what the header claims, so the claim is checked first. The walk through the file's
structure also finds its end: a truncated file has none, and whatever follows it (a second file glued to the
picture) is seen here and never handed to the decoder. Pillow would do some of this, but it is no dependency
of the edge runtime and does not tell where a picture ends.

Standards: ITU-T T.81 (JPEG), PNG (W3C, third edition), RFC 9649 (WebP), Exif 2.32 (orientation).
"""

import re
import struct
from typing import NamedTuple

_PNG = b"\x89PNG\r\n\x1a\n"
_FOREIGN = {
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"<svg": "SVG",
    b"<?xml": "XML",
}
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Header(NamedTuple):
    """What the file claims.

    Attributes:
        format: JPEG, PNG, WebP or BMP.
        width: stored columns, before any rotation.
        height: stored rows, before any rotation.
        end: offset one past the picture's last byte.
        orientation: Exif orientation, 1 to 8; 1 is upright.
        scans: passes over the picture; a progressive JPEG has several.
    """

    format: str
    width: int
    height: int
    end: int
    orientation: int = 1
    scans: int = 1


class HeaderError(ValueError):
    """The bytes are no picture of a known format, or end too early."""


def read_header(data: bytes) -> Header:
    """Read the header of a JPEG, PNG, WebP or BMP file.

    Raises:
        HeaderError: another format, an impossible structure, or a file that ends too early.
    """
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        if data[:8] == _PNG:
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:2] == b"BM":
            return _bmp(data)
    except (struct.error, IndexError) as error:
        raise HeaderError("the file ends within its header") from error
    raise HeaderError(f"{_name_foreign(data)}, and only JPEG, PNG, WebP and BMP are read")


def _name_foreign(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return f"it is of type {data[8:12].decode('ascii', 'replace').strip()} (HEIC, AVIF or a video)"
    for signature, name in _FOREIGN.items():
        if data.startswith(signature):
            return f"it is {name}"
    return "it is of no known image format"


def _jpeg(data: bytes) -> Header:
    width = height = scans = 0
    orientation, at = 1, 2
    while found := _JPEG_MARKER.search(data, at):
        marker, at = data[found.start() + 1], found.end()
        if marker == 0xD9 and width and scans:
            return Header("JPEG", width, height, at, orientation, scans)
        if marker in (0x01, 0xD8, 0xD9):
            raise HeaderError("its JPEG markers are out of order")
        length = struct.unpack_from(">H", data, at)[0]
        if length < 2:
            raise HeaderError("a JPEG segment is shorter than its own length field")
        if marker in _JPEG_SIZES:
            if width:
                raise HeaderError("it declares its size twice")
            height, width = struct.unpack_from(">HH", data, at + 3)
        elif marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0" and not scans:
            orientation = exif_orientation(data[at + 8 : at + length])
        scans += marker == 0xDA
        at += length
    raise HeaderError("the JPEG file is truncated: it has no end marker")


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise HeaderError("the PNG file does not begin with its header chunk")
    width, height = struct.unpack_from(">II", data, 16)
    orientation, at = 1, 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            orientation = exif_orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
        if kind == b"IEND" and at <= len(data):
            return Header("PNG", width, height, at, orientation)
    raise HeaderError("the PNG file is truncated: it has no end chunk")


def _webp(data: bytes) -> Header:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise HeaderError("the WebP file is truncated: its container is longer than the file")
    width, height = _webp_size(data)
    orientation, at = 1, 12
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            orientation = exif_orientation(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        if kind in (b"ANIM", b"ANMF"):
            raise HeaderError("it is an animation")
        at += 8 + length + (length & 1)
    return Header("WebP", width, height, end, orientation)


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return wide, high
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        wide, high = struct.unpack_from("<HH", data, 26)
        return wide & 0x3FFF, high & 0x3FFF
    raise HeaderError("its first WebP chunk is unknown")


def _bmp(data: bytes) -> Header:
    offset, header = struct.unpack_from("<II", data, 10)
    if header < 40:
        raise HeaderError("it is a BMP of a kind older than Windows 3")
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression not in (0, 3):
        raise HeaderError("it is a compressed BMP")
    end = offset + (width * bits + 31) // 32 * 4 * abs(height)
    if end > len(data):
        raise HeaderError("the BMP file is truncated")
    return Header("BMP", width, abs(height), end)


def exif_orientation(exif: bytes) -> int:
    """Orientation tag (0x0112) of an Exif block that begins with its TIFF header; 1 where there is none."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        first = struct.unpack_from(order + "I", exif, 4)[0]
        count = struct.unpack_from(order + "H", exif, first)[0]
        for entry in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == 0x0112:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1

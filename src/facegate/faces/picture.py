"""The one door through which pictures of unknown origin come in.

Size and pixel count are checked from the header before a pixel is decoded (decompression bombs), the file's
structure is walked to its end (truncated files, files glued together), and what comes out is always upright
8-bit RGB, whatever went in: grey, palette, 16 bit, transparent, rotated by Exif.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.errors import PictureError
from facegate.faces.headers import Header, HeaderError, read_header

MAX_PIXELS = 50_000_000
MAX_BYTES = 40_000_000
MAX_SCANS = 64
"""Cameras write a dozen passes at most; thousands over one large picture keep a decoder busy for minutes."""

_GLUED = (
    b"PK\x03\x04",
    b"%PDF-",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"MZ",
    b"#!",
    b"<!",
    b"<h",
    b"<s",
    b"<?",
)


def load_picture(
    source: str | Path | bytes, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP or BMP picture.

    Colour profiles are ignored; transparent pixels are laid over white.

    Args:
        source: a file, or the bytes of one.
        max_pixels: largest width × height that is decoded.
        max_bytes: largest file that is read.

    Returns:
        Upright RGB, shape (height, width, 3), 0 to 255.

    Raises:
        PictureError: the file is missing, no picture, truncated, too large, or two files in one.
    """
    name = "the picture" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(Path(source), max_bytes)
    if len(data) > max_bytes:
        raise _too_large(name, f"{len(data):,} bytes", f"{max_bytes:,}")
    try:
        header = read_header(data)
    except HeaderError as error:
        raise PictureError(
            f"{name}: cannot be read: {error}", "save it as JPEG or PNG and try again"
        ) from error
    _check(header, data, name, max_pixels)
    return _orient(_decode(data[: header.end], header, name), header.orientation)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise PictureError(
            f"{path}: cannot be read: {error.strerror or error}", "check the path and its rights"
        ) from error


def _check(header: Header, data: bytes, name: str, max_pixels: int) -> None:
    if header.width <= 0 or header.height <= 0:
        raise PictureError(f"{name}: claims {header.width} × {header.height} pixels", "save it anew as PNG")
    if header.width * header.height > max_pixels:
        raise _too_large(name, f"{header.width} × {header.height} pixels", f"{max_pixels:,} in all")
    if header.scans > MAX_SCANS:
        raise PictureError(
            f"{name}: a JPEG of {header.scans} scans; at most {MAX_SCANS} are decoded", "save it anew"
        )
    rest = data[header.end :].lstrip(b"\0\r\n\t ")[:4096]
    if rest.startswith(_GLUED):
        raise PictureError(
            f"{name}: another file follows the picture at byte {header.end}", "save the picture alone, anew"
        )


def _too_large(name: str, size: str, limit: str) -> PictureError:
    return PictureError(f"{name}: {size} is too large; at most {limit}", "make the picture smaller first")


def _decode(data: bytes, header: Header, name: str) -> NDArray[np.uint8]:
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        raw = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        raw = None
    if raw is None or raw.shape[:2] != (header.height, header.width):
        raise PictureError(f"{name}: its {header.format} data are corrupt", "save it anew and try again")
    return to_rgb(raw)


def to_rgb(raw: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Make 8-bit RGB of what OpenCV decodes.

    Args:
        raw: grey (h, w), BGR (h, w, 3) or BGRA (h, w, 4), 8 or 16 bit.

    Returns:
        RGB, shape (h, w, 3).
    """
    image = np.asarray(raw if raw.dtype == np.uint8 else np.asarray(raw, np.float32) / 257 + 0.5).astype(
        np.uint8
    )
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.uint16)
        image = ((image[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(image[..., ::-1])


def _orient(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an Exif orientation, 1 to 8."""
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)

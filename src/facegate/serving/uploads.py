"""From an upload to pixels: counted, measured by its header, and only then decoded."""

import numpy as np
from fastapi import UploadFile
from numpy.typing import NDArray

from facegate.faces.headers import HeaderError, read_header
from facegate.faces.picture import load_picture
from facegate.serving.problems import ProblemError


def read_bytes(upload: UploadFile, most: int) -> bytes:
    """The bytes of an upload.

    Raises:
        ProblemError: 413, there are too many.
    """
    data = upload.file.read(most + 1)
    if len(data) > most:
        raise ProblemError(413, f"a file of more than {most:,} bytes", "make the picture smaller first")
    return data


def decode(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """A picture from its bytes, upright RGB.

    Raises:
        ProblemError: 413, it has too many pixels; 422, it is no whole picture of a known format.
        PictureError: it is corrupt, or two files in one.
    """
    if not data:
        raise ProblemError(422, "the picture is empty", "send a JPEG or PNG file")
    try:
        header = read_header(data)
    except HeaderError as error:
        raise ProblemError(
            422, f"the picture: cannot be read: {error}", "save it as JPEG or PNG and try again"
        ) from error
    if header.width * header.height > max_pixels:
        size = f"{header.width} × {header.height} pixels"
        raise ProblemError(
            413, f"{size}; at most {max_pixels:,} in all are decoded", "make the picture smaller"
        )
    return load_picture(data, max_pixels=max_pixels, max_bytes=len(data))


def read_picture(upload: UploadFile, most: int, max_pixels: int) -> NDArray[np.uint8]:
    """A picture from an upload; see :func:`read_bytes` and :func:`decode`."""
    return decode(read_bytes(upload, most), max_pixels)

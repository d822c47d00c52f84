"""Linear light and the few filters that this room needs, typed.

Scenes are float32 RGB in linear light; pictures are uint8 sRGB. Positions are in pixels with pixel centres at
integers, or in *frame units* (0 to 1 across a picture, whatever its resolution) where a resolution would only
be in the way.
"""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear RGB in luminance (ITU-R BT.709)."""


def to_linear(picture: Bytes) -> Floats:
    """Linear light, 0 to 1, of an sRGB picture (IEC 61966-2-1)."""
    return _LINEAR_OF_BYTE[picture]


def to_srgb(linear: NDArray[Any]) -> Floats:
    """sRGB values, 0 to 1, of linear light; clips what lies outside (IEC 61966-2-1)."""
    x = np.clip(linear, 0.0, 1.0).astype(np.float32, copy=False)
    curved = np.power(x, np.float32(1 / 2.4))
    curved *= np.float32(1.055)
    curved -= np.float32(0.055)
    np.copyto(curved, np.float32(12.92) * x, where=x < np.float32(0.0031308))
    return curved


def luminance(picture: Floats) -> Floats:
    """Weighted sum of the channels: (H, W, 3) to (H, W)."""
    return np.asarray(cv2.transform(picture, LUMA[None]), np.float32)


def resize(image: NDArray[Any], height: int, width: int) -> Floats:
    """Resample to another size: by areas when shrinking, bicubically when growing."""
    if image.shape[:2] == (height, width):
        return np.asarray(image, np.float32)
    method = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.float32)


def blur(image: NDArray[Any], sigma: float) -> Floats:
    """Gaussian blur with a standard deviation of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def spread(plane: NDArray[Any]) -> Floats:
    """The same plane in three channels: (H, W) to (H, W, 3)."""
    single = np.asarray(plane, np.float32)
    return np.asarray(cv2.merge((single, single, single)), np.float32)


def tint(image: Floats, colour: tuple[float, float, float] | NDArray[np.floating]) -> Floats:
    """Channels of (H, W, 3) times a colour; by rows, since NumPy is slow on a last axis of three."""
    height, width, _ = image.shape
    row = np.tile(np.asarray(colour, np.float32), width)
    return np.asarray(image.reshape(height, -1) * row, np.float32).reshape(image.shape)


def mix(below: Floats, above: Floats, cover: NDArray[np.floating]) -> Floats:
    """`above` laid over `below` where the plane `cover` (H, W) is 1."""
    change = np.asarray(above - below, np.float32)
    change *= spread(cover)
    change += below
    return change


def channel_means(image: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of each of three channels."""
    return np.array(cv2.mean(image)[:3])


def jpeg(picture: Bytes, quality: int, *, full_chroma: bool = False) -> Bytes:
    """The picture after JPEG compression, 4:2:0 unless `full_chroma`."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", picture[..., ::-1], options)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _linear_table() -> Floats:
    x = np.arange(256, dtype=np.float64) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR_OF_BYTE = _linear_table()

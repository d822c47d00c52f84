"""What a bad camera, a bad lens or a bad day does to a crop, at strengths from 0 (nothing) to 1 (severe)."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Corruption = Callable[[Picture, float, np.random.Generator], Picture]


def blur(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """Gaussian blur; at 1 its standard deviation is 3 % of the side."""
    del rng
    sigma = 0.03 * strength * picture.shape[0]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8) if sigma > 0 else picture


def noise(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """Gaussian sensor noise; at 1 its standard deviation is 40 of 255 levels."""
    return _to_picture(picture + rng.normal(0, 40 * strength, picture.shape))


def low_light(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """Fewer photons: down to 8 % of the light, with the shot noise that comes with it, then gain as before."""
    photons = 400 * (1 - 0.92 * strength)
    linear = (picture / 255.0) ** 2.2
    caught = rng.poisson(linear * photons) / photons if strength > 0 else linear
    gain = 1 - 0.5 * strength  # the camera brightens only half of what is missing
    return _to_picture(255 * np.clip(caught * gain, 0, 1) ** (1 / 2.2))


def jpeg(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """JPEG from quality 95 down to 5."""
    del rng
    done, data = cv2.imencode(
        ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(95 - 90 * strength)]
    )
    if not done or strength == 0:
        return picture
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def down_scale(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """A small face: shrunk to as little as 15 % of the side and enlarged again."""
    del rng
    side = picture.shape[0]
    small = max(4, round(side * (1 - 0.85 * strength)))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def occlusion(picture: Picture, strength: float, rng: np.random.Generator) -> Picture:
    """A rectangle of one colour over up to 40 % of the area, anywhere."""
    side = picture.shape[0]
    length = round(side * np.sqrt(0.4 * strength))
    if length == 0:
        return picture
    top, left = rng.integers(0, side - length + 1, 2)
    covered = picture.copy()
    covered[top : top + length, left : left + length] = rng.integers(0, 256, 3)
    return covered


CORRUPTIONS: Mapping[str, Corruption] = {
    "blur": blur,
    "noise": noise,
    "low light": low_light,
    "JPEG": jpeg,
    "down-scaling": down_scale,
    "occlusion": occlusion,
}


def _to_picture(values: NDArray[np.floating]) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

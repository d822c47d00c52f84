"""What befalls an eye in front of a camera: motion blur, darkness, glasses; pure functions of crop and generator.

Each takes and returns RGB uint8 of shape (H, W, 3) and leaves its argument alone.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def motion_blur(picture: Picture, rng: np.random.Generator, longest: float = 0.22) -> Picture:
    """The head moved while the shutter was open: a straight smear in any direction.

    Args:
        picture: RGB uint8.
        rng: source of chance.
        longest: of the smear, share of the side.
    """
    length = max(2.0, rng.uniform(0.04, longest) * picture.shape[0])
    side = 2 * int(np.ceil(length / 2)) + 1
    angle = rng.uniform(0, np.pi)
    steps = np.linspace(-length / 2, length / 2, 4 * side)
    kernel = np.zeros((side, side), np.float32)
    x, y = (np.rint(steps * f(angle) + side // 2).astype(int) for f in (np.cos, np.sin))
    np.add.at(kernel, (y.clip(0, side - 1), x.clip(0, side - 1)), 1)
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8
    )


def low_light(picture: Picture, rng: np.random.Generator) -> Picture:
    """Few photons: 60 to 400 at white, half of what is missing made up by gain, shot noise throughout."""
    photons = np.exp(rng.uniform(np.log(60), np.log(400)))
    linear = (picture / 255.0) ** 2.2 * rng.uniform(0.3, 1.0)
    caught = rng.poisson(linear * photons) / photons
    return np.clip(np.rint(255 * np.clip(caught, 0, 1) ** (1 / 2.2)), 0, 255).astype(np.uint8)


def rim(picture: Picture, rng: np.random.Generator) -> Picture:
    """The frame of a pair of glasses around the eye, sometimes with a reflection on the lens."""
    side = picture.shape[0]
    centre = tuple(int(side * (0.5 + s)) for s in rng.normal(0, 0.05, 2))
    half = (int(side * rng.uniform(0.36, 0.6)), int(side * rng.uniform(0.26, 0.5)))
    colour = [int(v) for v in rng.integers(0, 150, 3)]
    drawn = picture.copy()
    if rng.random() < 0.35:
        drawn = _reflection(drawn, rng)
    thick = int(rng.integers(1, 3))
    if rng.random() < 0.5:
        cv2.ellipse(drawn, centre, half, 0, 0, 360, colour, thick, cv2.LINE_AA)
    else:
        low, high = ((centre[0] + s * half[0], centre[1] + s * half[1]) for s in (-1, 1))
        cv2.rectangle(drawn, low, high, colour, thick)
    return drawn


def _reflection(picture: Picture, rng: np.random.Generator) -> Picture:
    side = picture.shape[0]
    glow = np.zeros(picture.shape[:2], np.float32)
    centre = tuple(int(v) for v in rng.uniform(0.15, 0.85, 2) * side)
    axes = (int(side * rng.uniform(0.06, 0.22)), int(side * rng.uniform(0.04, 0.12)))
    cv2.ellipse(glow, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1, cv2.LINE_AA)
    share = rng.uniform(0.3, 0.8) * cv2.GaussianBlur(glow, (0, 0), 0.8)[..., None]
    return np.asarray(picture * (1 - share) + 245 * share, np.uint8)

"""Cameras by family, and the one population that all pictures are drawn from.

A spoof network takes any difference between two populations of pictures for the answer. Live people and
attacks therefore share the distribution that :func:`sample_camera` draws from, to the last setting.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A camera with its settings for one shot.

    Attributes:
        name: family of devices: ``phone``, ``webcam`` or ``doorcam``.
        blur: standard deviation of the lens blur, picture pixels.
        motion: length of the motion blur, picture pixels; 0 for none.
        motion_angle: its direction, radians.
        veil: stray light as a share of the mean radiance.
        vignette: loss of light in the corners, 0 to 1.
        exposure: linear mid-tone that automatic exposure aims at.
        shot_noise: noise variance per unit of signal.
        read_noise: standard deviation of the noise in the dark.
        white_balance: strength of grey-world balancing, 0 to 1.
        cast: remaining gain of red, green and blue.
        shoulder: how much highlights are compressed; 0 clips them.
        contrast: standard deviation of luma that the tone stage aims at, 0 to 1.
        saturation: mean chroma (largest minus smallest channel) that it aims at, 0 to 1.
        auto: how far contrast and saturation are pulled to their aims, 0 to 1.
        sharpen: amount of unsharp masking.
        stream: resolution of the transmitted picture as a share of the full one.
        edge_aware: demosaic along edges instead of bilinearly.
        jpeg: quality of each compression, in order.
        chroma_full: keep colour at full resolution (4:4:4) in JPEG.
    """

    name: str
    blur: float
    motion: float
    motion_angle: float
    veil: float
    vignette: float
    exposure: float
    shot_noise: float
    read_noise: float
    white_balance: float
    cast: tuple[float, float, float]
    shoulder: float
    contrast: float
    saturation: float
    auto: float
    sharpen: float
    stream: float
    edge_aware: bool
    jpeg: tuple[int, ...]
    chroma_full: bool


_BLUR = {"phone": 0.26, "webcam": 0.36, "doorcam": 0.31}
_NOISE = {"phone": (-4.6, -3.3), "webcam": (-4.0, -2.9), "doorcam": (-4.2, -2.9)}
_STREAM = {"phone": 0.2, "webcam": 0.45, "doorcam": 0.35}
"""Probability that a family transmits at a lower resolution."""


def sample_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera of the population that takes live people and attacks alike."""
    name = str(rng.choice(("phone", "webcam", "doorcam"), p=(0.4, 0.35, 0.25)))
    twice = rng.random() < 0.35
    return Camera(
        name=name,
        blur=float(min(_BLUR[name] + rng.exponential(0.26), 1.4)),
        motion=float(rng.uniform(1.0, 3.0)) if rng.random() < 0.12 else 0.0,
        motion_angle=float(rng.uniform(0.0, np.pi)),
        veil=float(rng.uniform(0.0, 0.14)),
        vignette=float(rng.uniform(0.0, 0.2)),
        exposure=float(0.19 * np.exp(rng.normal(0.0, 0.25))),
        shot_noise=float(10 ** rng.uniform(*_NOISE[name])),
        read_noise=float(10 ** rng.uniform(-3.0, -2.1)),
        white_balance=float(rng.uniform(0.4, 0.95)),
        cast=_cast(rng, 0.05),
        shoulder=float(rng.uniform(0.2, 0.9)),
        contrast=float(rng.uniform(0.13, 0.27)),
        saturation=float(rng.uniform(0.1, 0.3)),
        auto=float(rng.uniform(0.6, 1.0)),
        sharpen=float(rng.uniform(0.1, 0.9)) if rng.random() < 0.6 else 0.0,
        stream=float(rng.uniform(0.5, 0.95)) if rng.random() < _STREAM[name] else 1.0,
        edge_aware=bool(rng.random() < 0.5),
        jpeg=tuple(int(q) for q in rng.integers(62, 97, 2 if twice else 1)),
        chroma_full=bool(rng.random() < 0.3),
    )


def sample_portrait_camera(rng: np.random.Generator) -> Camera:
    """Draw the better camera behind the photograph or video that an attacker shows.

    It balances white less: the second camera balances again, and live people are balanced only once.
    """
    return Camera(
        name="portrait",
        blur=float(rng.uniform(0.28, 0.42)),
        motion=0.0,
        motion_angle=0.0,
        veil=float(rng.uniform(0.0, 0.04)),
        vignette=float(rng.uniform(0.0, 0.1)),
        exposure=float(0.2 * np.exp(rng.normal(0.0, 0.15))),
        shot_noise=float(10 ** rng.uniform(-5.0, -4.2)),
        read_noise=0.001,
        white_balance=float(rng.uniform(0.0, 0.45)),
        cast=_cast(rng, 0.02),
        shoulder=float(rng.uniform(0.3, 0.8)),
        contrast=float(rng.uniform(0.18, 0.28)),
        saturation=float(rng.uniform(0.1, 0.3)),
        auto=float(rng.uniform(0.4, 0.9)),
        sharpen=float(rng.uniform(0.3, 0.9)),
        stream=1.0,
        edge_aware=True,
        jpeg=(int(rng.integers(86, 98)),),
        chroma_full=True,
    )


def _cast(rng: np.random.Generator, spread: float) -> tuple[float, float, float]:
    red, green, blue = np.exp(rng.normal(0.0, spread, 3))
    return float(red), float(green), float(blue)

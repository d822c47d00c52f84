"""Light that falls on a person: one key light with shadow, one fill, and an ambient sky."""

from dataclasses import dataclass

import numpy as np

from facegate.synthesis.colours import kelvin
from facegate.synthesis.geometry import Array, direction, harmonics, sphere_points

SKY = sphere_points(32)
"""Directions that the ambient light is sampled in."""


@dataclass(frozen=True, eq=False)
class Light:
    """Light in the camera's frame (x right, y up, z towards the camera).

    Attributes:
        kind: soft, window, overhead, sun, screen or back.
        towards: (3,) unit vector to the key light.
        colour: (3,) its irradiance, linear RGB.
        softness: radius of its shadow's blur, in texels of the shadow map.
        fill_towards, fill_colour: a second light without shadow.
        sky: (32, 3) ambient radiance in the directions SKY.
    """

    kind: str
    towards: Array
    colour: Array
    softness: float
    fill_towards: Array
    fill_colour: Array
    sky: Array

    def coefficients(self, head: Array) -> Array:
        """(9, 3) spherical harmonics of the sky as seen by a head of rotation `head` (3, 3)."""
        return (harmonics(SKY @ head).T @ self.sky * (4 * np.pi / len(SKY))).astype(np.float32)

    @property
    def level(self) -> Array:
        """(3,) brightness and colour of the place as a whole."""
        return (self.sky.mean(0) + 0.15 * self.colour).astype(np.float32)


# kind: odds, azimuth, elevation, strength, softness, ambient
KINDS: dict[str, tuple[float, tuple, tuple, tuple, tuple, tuple]] = {
    "soft": (0.30, (5, 50), (15, 50), (0.8, 1.6), (3, 6), (0.12, 0.30)),
    "window": (0.22, (40, 80), (5, 35), (1.5, 3.0), (3, 7), (0.08, 0.20)),
    "overhead": (0.16, (-30, 30), (48, 72), (1.1, 2.2), (2.5, 5), (0.12, 0.30)),
    "sun": (0.14, (10, 70), (25, 60), (2.2, 3.8), (0.8, 1.6), (0.12, 0.30)),
    "screen": (0.10, (-15, 15), (-22, 5), (0.6, 1.4), (4, 7), (0.07, 0.20)),
    "back": (0.08, (115, 160), (20, 50), (1.8, 3.6), (2.5, 5), (0.24, 0.40)),
}


def sample_light(rng: np.random.Generator) -> Light:
    """A random light, indoors or out."""
    odds = np.array([kind[0] for kind in KINDS.values()])
    kind = str(rng.choice(list(KINDS), p=odds / odds.sum()))
    _, azimuth, elevation, strength, softness, ambient = KINDS[kind]
    side = rng.choice([-1, 1])
    key_kelvin, sky_kelvin = rng.uniform(3000, 7500), rng.uniform(3200, 8500)
    if kind == "sun":
        key_kelvin, sky_kelvin = rng.uniform(4800, 5800), rng.uniform(7000, 11000)
    level = rng.uniform(*ambient)
    power = rng.uniform(*strength)
    return Light(
        kind=kind,
        towards=direction(side * rng.uniform(*azimuth), rng.uniform(*elevation)),
        colour=(kelvin(key_kelvin) * power).astype(np.float32),
        softness=float(rng.uniform(*softness)),
        fill_towards=direction(-side * rng.uniform(20, 90), rng.uniform(-10, 50)),
        fill_colour=(kelvin(rng.uniform(2800, 8500)) * rng.uniform(0, 0.35) * power).astype(np.float32),
        sky=_sample_sky(kelvin(sky_kelvin), level, rng),
    )


def _sample_sky(colour: Array, level: float, rng: np.random.Generator) -> Array:
    up = SKY[:, 1:2]
    ground = np.array([0.5, 0.42, 0.35]) * level * rng.uniform(0.3, 0.9)
    sky = colour * level * (0.55 + 0.45 * up) + ground * (0.5 - 0.5 * up)
    for _ in range(rng.integers(1, 4)):
        lobe = direction(rng.uniform(-180, 180), rng.uniform(-20, 70))
        glow = kelvin(rng.uniform(2800, 9000)) * rng.uniform(0.2, 1.4) * level
        sky = sky + glow * np.clip(SKY @ lobe, 0, 1)[:, None] ** 4 * 2
    return sky.astype(np.float32)

"""Hair of the scalp: styles, hairline, colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.canonical import Canonical
from facegate.synthesis.colours import HAIR
from facegate.synthesis.geometry import Array, smoothstep, unit
from facegate.synthesis.strands import Growth, Scalp, Strands, grow


@dataclass(frozen=True)
class Style:
    """How scalp hair is cut and combed.

    Attributes:
        strands: number of strands.
        length: metres, shortest and longest.
        sides: factor on the length at the sides.
        comb: x (outwards from the parting if `parted`, else towards one side), y, z.
        parted: combed away from a parting.
        growth: manner of growth.
        width: metres of one strand (a lock, not a hair).
        fringe: share of the front hair that falls forward over the forehead.
        cover: how dark the scalp is under it, 0 to 1.
    """

    strands: int
    length: tuple[float, float]
    sides: float
    comb: tuple[float, float, float]
    parted: bool
    growth: Growth
    width: float
    fringe: float = 0.0
    cover: float = 0.9


STYLES: dict[str, Style] = {
    "shaven": Style(900, (0.002, 0.004), 1, (0, -0.3, -0.2), False, Growth(2, 0.8, 0, jitter=0.3), 0.0011, cover=0.30),
    "buzz": Style(2600, (0.005, 0.010), 1, (0, -0.3, 0.1), False, Growth(2, 1.0, 0, jitter=0.3), 0.0014, cover=0.75),
    "crop": Style(
        2600, (0.022, 0.040), 0.5, (0.05, -0.25, 0.8), False,
        Growth(5, 0.45, 0.25, 0.08, 1, 0.008, 0.45, 0.2), 0.0015,
    ),
    "side": Style(
        2500, (0.045, 0.075), 0.40, (0.9, -0.1, 0.25), False,
        Growth(6, 0.45, 0.3, 0.05, 1, 0.011, 0.5, 0.14), 0.0016,
    ),
    "swept": Style(
        2400, (0.055, 0.085), 0.30, (0.1, 0.2, -0.9), False,
        Growth(6, 0.8, 0.12, 0.05, 1, 0.016, 0.45, 0.13), 0.0016,
    ),
    "tousled": Style(
        2600, (0.040, 0.080), 0.7, (0.2, -0.1, 0.5), False,
        Growth(6, 0.6, 0.25, 0.35, 0.8, 0.014, 0.35, 0.45), 0.0017,
    ),
    "curly": Style(
        3000, (0.035, 0.075), 0.7, (0, -0.1, 0.1), False,
        Growth(8, 0.9, 0.25, 0.85, 1.2, 0.010, 0.15, 0.3), 0.0017,
    ),
    "afro": Style(
        3400, (0.040, 0.070), 0.9, (0, 0, 0), False,
        Growth(6, 1.0, 0.03, 0.75, 1.7, 0.006, 0.0, 0.25), 0.0018,
    ),
    "medium": Style(
        2400, (0.12, 0.17), 1, (0.9, -0.1, 0.1), True,
        Growth(9, 0.3, 1.2, 0.08, 0.8, 0.015, 0.5, 0.1), 0.0020,
    ),
    "bob": Style(
        2400, (0.16, 0.21), 1, (0.9, -0.1, 0.05), True,
        Growth(10, 0.25, 1.3, 0.04, 0.8, 0.015, 0.6, 0.06), 0.0021,
    ),
    "bob_fringe": Style(
        2400, (0.16, 0.21), 1, (0.9, -0.1, 0.05), True,
        Growth(10, 0.25, 1.3, 0.04, 0.8, 0.015, 0.6, 0.06), 0.0021, fringe=0.9,
    ),
    "long": Style(
        2400, (0.24, 0.34), 1, (0.9, -0.1, 0.05), True,
        Growth(11, 0.2, 1.5, 0.04, 0.8, 0.014, 0.6, 0.06), 0.0023,
    ),
    "wavy": Style(
        2500, (0.22, 0.32), 1, (0.9, -0.1, 0.05), True,
        Growth(12, 0.25, 1.3, 0.28, 0.9, 0.017, 0.5, 0.1), 0.0022,
    ),
    "long_fringe": Style(
        2400, (0.22, 0.32), 1, (0.9, -0.1, 0.05), True,
        Growth(11, 0.2, 1.5, 0.05, 0.8, 0.014, 0.6, 0.06), 0.0023, fringe=0.85,
    ),
    "tied": Style(
        2400, (0.10, 0.14), 1, (0, 0, -1), False,
        Growth(7, 0.1, 0.0, 0.02, 1, 0.006, 0.95, 0.05), 0.0018,
    ),
}  # fmt: skip
SHORT = frozenset({"shaven", "buzz", "crop", "side", "swept", "tousled", "curly", "afro"})
"""Styles whose strands may cross the forehead."""


@dataclass(frozen=True)
class Hairline:
    """Where scalp hair begins: part of who a person is.

    Attributes:
        front: elevation over the forehead, degrees from the skull's middle.
        temple: how far it recedes at the temples, degrees.
        bald: 0 to 1, how much of the crown is bare.
    """

    front: float
    temple: float
    bald: float

    def cover(self, place: Canonical, points: Array) -> Array:
        """0 to 1 at (…, 3) places on the average head: 1 where hair grows."""
        return self.grows(*growth_angles(place, points))

    def grows(self, azimuth: Array, elevation: Array) -> Array:
        """The same at angles as :func:`growth_angles` gives them."""
        line = np.interp(
            azimuth,
            [0, 22, 42, 60, 76, 92, 104, 125, 180],
            [
                self.front,
                self.front - 0.5,
                self.front - 4 + 1.2 * self.temple,
                14 + self.temple,
                2,
                2,
                -18,
                -33,
                -40,
            ],
        )
        grown = smoothstep(-2.5, 4.5, elevation - line)
        crown = smoothstep(62 - 25 * self.bald, 48 - 25 * self.bald, elevation) if self.bald > 0 else 1.0
        return grown * crown


def growth_angles(place: Canonical, points: Array) -> tuple[Array, Array]:
    """Degrees from the front and above the middle of the skull, of (…, 3) places on the average head."""
    away = points - place.centre
    radius = np.linalg.norm(away, axis=-1) + 1e-9
    azimuth = np.degrees(np.abs(np.arctan2(away[..., 0], away[..., 2])))
    return azimuth, np.degrees(np.arcsin(np.clip(away[..., 1] / radius, -1, 1)))


def hair_tone(name: str, grey: float, rng: np.random.Generator) -> Array:
    """Linear reflectance of hair, of a natural colour turned `grey` (0 to 1)."""
    colour = np.array(HAIR[name]) * rng.uniform(0.8, 1.25)
    return (colour * (1 - grey) + np.array(HAIR["grey"]) * grey).astype(np.float32)


def grow_hair(
    scalp: Scalp, style: Style, hairline: Hairline, colour: Array, grey: float, rng: np.random.Generator
) -> Strands | None:
    """Grow a head of hair; None where none grows."""
    place = scalp.place
    ear = place.ear

    def density(points: Array) -> Array:
        return hairline.cover(place, points) * (points[:, 1] > -0.11)

    roots = scalp.roots(density, style.strands, rng)
    if roots is None:
        return None
    roots = roots.subset(ear[roots.triangle].max(1) < 0.3)
    count = len(roots.point)
    azimuth = np.degrees(np.abs(np.arctan2(roots.place[:, 0], roots.place[:, 2] - place.centre[2])))
    side = smoothstep(45, 80, azimuth) * smoothstep(0.075, 0.045, roots.place[:, 1])
    clump = _clumps(rng, roots.point)
    length = rng.uniform(*style.length, count) * (1 - (1 - style.sides) * side)
    comb, falls = _comb(style, roots.point, roots.normal, azimuth, clump, rng)
    if style.fringe > 0:
        length = np.where(falls, rng.uniform(0.055, 0.075, count), length)
    offset = grow(scalp, roots, length.astype(np.float32), comb, style.growth, rng)
    keep = _clear_of_face(roots.point[:, None] + offset, style, rng)
    roots, offset, clump = roots.subset(keep), offset[keep], clump[keep]
    count, points = len(keep), offset.shape[1]
    along = np.linspace(0, 1, points)
    tint = np.clip(1 + 0.20 * rng.standard_normal(count) + 0.22 * clump[:, 0], 0.45, 1.8)
    shade = (colour * tint[:, None])[:, None] * np.interp(along, [0, 1], [0.6, 1.12])[None, :, None]
    silver = rng.random(count) < 0.5 * grey
    shade = np.where(silver[:, None, None], np.array(HAIR["grey"]) * 1.1, shade)
    return Strands(
        triangle=roots.triangle,
        share=roots.share,
        offset=offset,
        colour=shade.astype(np.float32),
        width=np.broadcast_to(
            style.width * np.interp(along, [0, 0.5, 1], [1, 0.95, 0.35]), (count, points)
        ).astype(np.float32),
        alpha=np.broadcast_to(
            np.interp(along, [0, 0.15, 0.7, 1], [0.7, 0.95, 0.9, 0.35]), (count, points)
        ).astype(np.float32),
        scalp=True,
    )


def _comb(
    style: Style, point: Array, normal: Array, azimuth: Array, clump: Array, rng: np.random.Generator
) -> tuple[Array, NDArray[np.bool_]]:
    """Direction each strand is combed in, and whether it falls over the forehead as a fringe."""
    count = len(point)
    side = rng.choice([-1.0, 1.0])
    parting = rng.uniform(-0.035, 0.035)
    away = np.sign(point[:, 0] - parting) if style.parted else np.full(count, side)
    comb = np.stack([style.comb[0] * away, np.full(count, style.comb[1]), np.full(count, style.comb[2])], 1)
    falls = (azimuth < 34) & (point[:, 1] > 0.045) & (rng.random(count) < style.fringe)
    comb[falls] = (0.08 * side, -0.2, 0.95)
    if style.comb == (0, 0, -1):
        comb = np.array([0, 0.005, -0.235]) - point
        comb = unit(comb)
    comb = comb + 0.28 * clump
    comb = comb - (comb * normal).sum(1, keepdims=True) * normal
    reach = smoothstep(110, 40, azimuth) * 0.85 + 0.15 if style.parted else 0.9
    if style.comb == (0, 0, 0):
        return (0.3 * clump).astype(np.float32), falls
    return (unit(comb) * np.reshape(reach, (-1, 1) if np.ndim(reach) else ())).astype(np.float32), falls


def _clumps(rng: np.random.Generator, point: Array) -> Array:
    """Directions (N, 3) that neighbours share, so that hair falls in locks."""
    out = np.zeros(point.shape, np.float32)
    for scale, strength in ((25, 0.5), (50, 0.32), (95, 0.2)):
        wave = rng.normal(0, scale, (5, 3)).astype(np.float32)
        phase = rng.uniform(0, 2 * np.pi, (5, 3)).astype(np.float32)
        for wave_, phase_ in zip(wave, phase, strict=True):
            out += np.float32(strength / 1.6) * np.sin((point @ wave_)[:, None] + phase_)
    return out


def _clear_of_face(points: Array, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Strands that do not hang before the eyes."""
    floor = 0.012 if style.fringe > 0 else 0.022
    before = (np.abs(points[..., 0]) < 0.058) & (points[..., 1] < floor) & (points[..., 2] > -0.045)
    return np.flatnonzero(~before.any(1))

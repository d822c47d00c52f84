"""Hair of the face: brows, lashes, beards."""

from dataclasses import dataclass

import numpy as np

from facegate.synthesis.canonical import Canonical
from facegate.synthesis.geometry import Array, smoothstep, unit
from facegate.synthesis.strands import Growth, Scalp, Strands, grow

BEARDS: dict[str, tuple[float, float, float, int, float]] = {
    "none": (0, 0, 0, 0, 0),
    "stubble": (1, 1, 1, 2200, 0.0030),
    "short": (1, 1, 1, 2400, 0.008),
    "full": (1, 1, 1, 2600, 0.020),
    "goatee": (1, 1, 0, 1200, 0.009),
    "moustache": (1, 0, 0, 750, 0.008),
}
"""Moustache, chin and cheeks (0 or 1), strands, length in metres."""


@dataclass(frozen=True)
class Brow:
    """Shape of a person's eyebrows, metres on the average head.

    Attributes:
        height: of the inner end above the eyes.
        arch: rise to the peak.
        peak: where along the brow the peak lies, 0 to 1.
        width: half thickness.
        inner, outer: |x| of the ends.
        tail: drop of the outer end.
        density: 0 to 1.
    """

    height: float
    arch: float
    peak: float
    width: float
    inner: float
    outer: float
    tail: float
    density: float

    def field(self, points: Array) -> Array:
        """0 to 1 at (…, 3) places: 1 in the middle of the brow."""
        x, y = np.abs(points[..., 0]), points[..., 1]
        t = np.clip((x - self.inner) / (self.outer - self.inner), 0, 1)
        rise = self.arch * np.sin(np.clip(t / self.peak, 0, 1) * np.pi / 2)
        fall = np.clip((t - self.peak) / (1 - self.peak), 0, 1) * (self.tail + 0.5 * self.arch)
        width = self.width * np.interp(t, [0, 0.15, 0.6, 1], [0.75, 1, 0.85, 0.3])
        ends = smoothstep(self.inner - 0.002, self.inner + 0.003, x)
        ends = ends * smoothstep(self.outer + 0.002, self.outer - 0.002, x)
        away = (y - self.height - rise + fall) / width
        return (np.exp(-(away**2)) * ends * (points[..., 2] > -0.035)).astype(np.float32)


def sample_brow(male: bool, rng: np.random.Generator) -> Brow:
    """A random pair of eyebrows."""
    return Brow(
        height=rng.uniform(0.0145, 0.0205),
        arch=rng.uniform(0.0, 0.0075),
        peak=rng.uniform(0.5, 0.78),
        width=rng.uniform(0.0024, 0.0058) * (1.15 if male else 0.8),
        inner=rng.uniform(0.007, 0.014),
        outer=rng.uniform(0.043, 0.053),
        tail=rng.uniform(0.0, 0.008),
        density=rng.uniform(0.5, 1.0),
    )


def grow_brows(scalp: Scalp, brow: Brow, colour: Array, rng: np.random.Generator) -> Strands | None:
    """Eyebrow hairs."""
    roots = scalp.roots(lambda p: brow.field(p) * brow.density, 560, rng)
    if roots is None:
        return None
    count, outwards = len(roots.point), np.sign(roots.place[:, 0])
    t = (np.abs(roots.place[:, 0]) - brow.inner) / (brow.outer - brow.inner)
    comb = np.stack([outwards, np.interp(t, [0, 0.3, 1], [1.1, 0.45, -0.4]), np.zeros(count)], 1)
    comb = unit(comb + rng.normal(0, 0.18, (count, 3)))
    length = rng.uniform(0.004, 0.0075, count).astype(np.float32)
    offset = grow(scalp, roots, length, comb, Growth(2, 0.3, 0, jitter=0.1), rng)
    shade = colour * rng.uniform(0.55, 1.0, (count, 1))
    return _strands(roots, offset, shade, 0.00055, (0.75, 0.8, 0.15))


def grow_lashes(scalp: Scalp, strength: float) -> Strands | None:
    """Eyelashes, straight from the mesh's own lash vertices; `strength` 0 to 1.3 is their darkness."""
    pairs, assets = scalp.place.lash, scalp.assets
    if len(pairs) == 0:
        return None
    vertex = np.zeros(len(assets.base), np.int32)
    vertex[assets.corner] = np.arange(len(assets.corner))
    root = vertex[pairs[:, 0]]
    reach = scalp.points[pairs[:, 1]] - scalp.points[pairs[:, 0]]
    offset = reach[:, None] * np.array([0, 0.5, 1.0])[None, :, None]
    share = np.tile(np.array([1, 0, 0], np.float32), (len(root), 1))
    triangle = np.repeat(root[:, None], 3, 1)
    count = len(root)
    return Strands(
        triangle=triangle.astype(np.int32),
        share=share,
        offset=offset.astype(np.float32),
        colour=np.full((count, 3, 3), 0.012, np.float32),
        width=np.tile(np.array([0.0009, 0.0008, 0.0004], np.float32), (count, 1)),
        alpha=np.tile(np.array([0.75, 0.6, 0.1], np.float32) * min(1.0, strength), (count, 1)),
    )


@dataclass(frozen=True)
class BeardLine:
    """Where a man's beard grows: part of who he is.

    Attributes:
        cheek: height of the cheek line over the mouth, metres.
        thickness: 0 to 1, how densely it grows.
    """

    cheek: float
    thickness: float

    def fields(self, place: Canonical, points: Array) -> tuple[Array, Array, Array]:
        """Moustache, chin and cheeks at (…, 3) places, each 0 to 1."""
        x, y, z = np.abs(points[..., 0]), points[..., 1] - place.mouth_y, points[..., 2]
        middle = 0.0135 - 0.14 * x
        moustache = smoothstep(0.0075, 0.002, np.abs(y - middle)) * smoothstep(0.031, 0.022, x)
        moustache = moustache * smoothstep(-0.035, -0.015, z)
        low = smoothstep(place.chin_y - 0.016 - place.mouth_y, place.chin_y - 0.002 - place.mouth_y, y)
        chin = smoothstep(0.034, 0.020, x) * smoothstep(-0.010, -0.018, y) * low * smoothstep(-0.06, -0.03, z)
        line = self.cheek + 1.1 * np.clip(x - 0.035, 0, 1)
        cheeks = smoothstep(0.018, 0.042, x) * smoothstep(line + 0.008, line - 0.008, y)
        cheeks = (
            cheeks
            * smoothstep(-0.050, -0.030, y + 0.35 * np.clip(x - 0.03, 0, 1))
            * smoothstep(-0.092, -0.075, z)
        )
        return moustache, chin, cheeks

    def cover(self, place: Canonical, points: Array, beard: str) -> Array:
        """0 to 1 at (…, 3) places: 1 where a beard of that kind grows."""
        parts = self.fields(place, points)
        wanted = BEARDS[beard][:3]
        return np.clip(sum(w * p for w, p in zip(wanted, parts, strict=True)), 0, 1)


def grow_beard(
    scalp: Scalp, line: BeardLine, beard: str, lips: Array, colour: Array, rng: np.random.Generator
) -> Strands | None:
    """A beard; None for those without. `lips` (V,) keeps it off the lips' vertices."""
    *_, count, length = BEARDS[beard]
    if not count:
        return None
    density = 0.45 + 0.55 * line.thickness
    roots = scalp.roots(lambda p: line.cover(scalp.place, p, beard) * density, int(count), rng)
    if roots is None:
        return None
    roots = roots.subset((lips[roots.triangle] * roots.share).sum(1) < 0.35)
    size = len(roots.point)
    if not size:
        return None
    comb = np.stack([0.35 * np.sign(roots.place[:, 0]), np.full(size, -0.8), np.full(size, 0.05)], 1)
    reach = (length * rng.uniform(0.55, 1.15, size)).astype(np.float32)
    growth = Growth(3, 0.55, 0.3, 0.10, 1.3, jitter=0.16)
    offset = grow(scalp, roots, reach, comb, growth, rng)
    shade = colour * rng.uniform(0.6, 1.3, (size, 1))
    return _strands(roots, offset, shade, 0.0008 if length < 0.004 else 0.0011, (0.55, 0.75, 0.6, 0.1))


def _strands(roots, offset: Array, colour: Array, width: float, alpha: tuple[float, ...]) -> Strands:
    count, points = offset.shape[:2]
    return Strands(
        triangle=roots.triangle,
        share=roots.share,
        offset=offset,
        colour=np.repeat(colour[:, None], points, 1).astype(np.float32),
        width=np.tile(np.linspace(width, 0.5 * width, points, dtype=np.float32), (count, 1)),
        alpha=np.tile(np.array(alpha, np.float32), (count, 1)),
    )

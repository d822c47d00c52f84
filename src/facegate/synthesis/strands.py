"""Strands of hair: where they root, how they grow over a head, what they carry to the renderer."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.assets import SKIN, HeadAssets
from facegate.synthesis.canonical import Canonical, canonical
from facegate.synthesis.geometry import Array, unit

TABLE = (24, 48)
"""Elevations and azimuths of the table of head radii."""


@dataclass(frozen=True, eq=False)
class Strands:
    """S strands of J points each.

    Attributes:
        triangle: (S, 3) render vertices the root lies between.
        share: (S, 3) barycentric weights there.
        offset: (S, J, 3) metres from the root, in head coordinates.
        colour: (S, J, 3) linear reflectance.
        width: (S, J) metres.
        alpha: (S, J) opacity, 0 to 1.
        scalp: whether these grow on the scalp, so that a hat covers them.
    """

    triangle: NDArray[np.int32]
    share: Array
    offset: Array
    colour: Array
    width: Array
    alpha: Array
    scalp: bool = False


@dataclass(frozen=True, eq=False)
class Roots:
    """Random places on the skin.

    Attributes:
        triangle, share: as in :class:`Strands`.
        place: (S, 3) on the average head.
        point: (S, 3) on this head.
        normal: (S, 3) there.
    """

    triangle: NDArray[np.int32]
    share: Array
    place: Array
    point: Array
    normal: Array

    def subset(self, keep: NDArray) -> "Roots":
        """Only the strands that `keep` selects."""
        return Roots(
            self.triangle[keep], self.share[keep], self.place[keep], self.point[keep], self.normal[keep]
        )


class Scalp:
    """One person's head as hair sees it: where to root and what not to grow into.

    Args:
        assets: the mesh.
        points: (P, 3) the person's head, origin between the eyes.
        normals: (P, 3) its normals.
    """

    def __init__(self, assets: HeadAssets, points: Array, normals: Array) -> None:
        self.assets, self.place = assets, canonical(assets)
        self.points, self.normals = points, normals
        self.skin = assets.triangles[assets.kind == SKIN]
        corners = self.place.vertices[self.skin]
        self._middle = corners.mean(1)
        self._area = np.linalg.norm(
            np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
        )
        self._radii = _radius_table(points[np.unique(assets.corner[self.skin])], self.place)

    def roots(self, density: Callable[[Array], Array], count: int, rng: np.random.Generator) -> Roots | None:
        """About `count` random roots, as dense as `density` (of places on the average head) says; None if nowhere."""
        weight = self._area * density(self._middle)
        if weight.sum() <= 0:
            return None
        drawn = rng.choice(len(weight), 2 * count, p=weight / weight.sum())
        share = rng.random((2 * count, 2))
        share = np.where(share.sum(1, keepdims=True) > 1, 1 - share, share)
        share = np.column_stack([1 - share.sum(1), share]).astype(np.float32)
        triangle = self.skin[drawn]
        place = np.einsum("sk,skx->sx", share, self.place.vertices[triangle])
        keep = np.flatnonzero(rng.random(2 * count) < density(place))[:count]
        if len(keep) == 0:
            return None
        triangle, share = triangle[keep], share[keep]
        corner = self.assets.corner[triangle]
        point = np.einsum("sk,skx->sx", share, self.points[corner])
        normal = unit(np.einsum("sk,skx->sx", share, self.normals[corner]))
        return Roots(triangle, share, place[keep], point.astype(np.float32), normal)

    def clearance(self, points: Array) -> tuple[Array, Array]:
        """Distance of (N, 3) points from the skull's middle, and of the skin in that direction."""
        away = points - self.place.centre
        radius = np.linalg.norm(away, axis=-1) + 1e-9
        azimuth = (np.arctan2(away[:, 0], away[:, 2]) + np.pi) / (2 * np.pi) * (TABLE[1] - 1)
        elevation = (np.arcsin(np.clip(away[:, 1] / radius, -1, 1)) + np.pi / 2) / np.pi * (TABLE[0] - 1)
        skin = cv2.remap(
            self._radii,
            azimuth.astype(np.float32)[:, None],
            elevation.astype(np.float32)[:, None],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return radius, np.asarray(skin[:, 0], np.float32)


def _radius_table(points: Array, place: Canonical) -> Array:
    away = points[points[:, 1] > -0.13] - place.centre
    radius = np.linalg.norm(away, axis=1)
    column = ((np.arctan2(away[:, 0], away[:, 2]) + np.pi) / (2 * np.pi) * (TABLE[1] - 1)).round().astype(int)
    row = ((np.arcsin(away[:, 1] / radius) + np.pi / 2) / np.pi * (TABLE[0] - 1)).round().astype(int)
    table = np.zeros(TABLE, np.float32)
    np.maximum.at(table, (row, column), radius)
    for _ in range(8):
        known = (table > 0).astype(np.float32)
        filled = cv2.blur(table, (3, 3)) / np.maximum(cv2.blur(known, (3, 3)), 1e-6)
        table = np.where(table > 0, table, filled)
    return cv2.GaussianBlur(table, (0, 0), 0.6).astype(np.float32)


@dataclass(frozen=True)
class Growth:
    """How strands grow from their roots.

    Attributes:
        segments: pieces per strand.
        lift: how much a strand starts along the skin's normal.
        gravity: pull downwards per segment.
        curl: sideways turn per segment.
        frequency: radians of the curl per segment.
        body: metres that the hair stands off the skin; 0 ignores the head.
        cling: 0 to 1, how far strands that stick out are pulled back to that.
        jitter: spread of the first direction.
    """

    segments: int = 6
    lift: float = 0.3
    gravity: float = 0.2
    curl: float = 0.0
    frequency: float = 1.0
    body: float = 0.0
    cling: float = 0.0
    jitter: float = 0.1


def grow(
    scalp: Scalp, roots: Roots, length: Array, comb: Array, growth: Growth, rng: np.random.Generator
) -> Array:
    """Grow one strand per root.

    Args:
        scalp: the head, for collisions.
        roots: S roots.
        length: (S,) metres.
        comb: (S, 3) direction they are combed in.
        growth: manner.
        rng: source of chance.

    Returns:
        (S, J, 3) metres from the root, J = segments + 1.
    """
    count, steps = len(roots.point), growth.segments
    stray = rng.normal(0, growth.jitter, (count, 3)).astype(np.float32)
    heading = unit(roots.normal * np.float32(growth.lift) + comb + stray)
    phase = rng.uniform(0, 2 * np.pi, (count, 1)).astype(np.float32)
    depth = rng.uniform(0.25, 1.0, count).astype(np.float32)
    step = (length / steps)[:, None]
    points = [roots.point]
    for k in range(steps):
        side = unit(_cross(heading, roots.normal))
        angle = phase + growth.frequency * (k + 1)
        turn = growth.curl * (np.sin(angle) * side + np.cos(angle) * _cross(side, heading))
        fall = np.array([0, -growth.gravity * min(1.5, 2 * (k + 1) / steps), 0], np.float32)
        way = unit(heading + turn + fall + comb * 0.25 * max(0.0, 1 - 1.6 * k / steps))
        point = points[-1] + way * step
        if growth.body > 0:
            point = _collide(scalp, point, growth, depth * min(1.0, (k + 1) / 3))
        heading = unit(0.35 * heading + 0.65 * unit(point - points[-1]))
        points.append(point.astype(np.float32))
    return (np.stack(points, 1) - roots.point[:, None]).astype(np.float32)


def _cross(a: Array, b: Array) -> Array:
    """Cross products of (N, 3) vectors, several times as fast as NumPy's own."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], 1)


def _collide(scalp: Scalp, point: Array, growth: Growth, depth: NDArray) -> Array:
    radius, skin = scalp.clearance(point)
    wanted = skin + growth.body * (0.3 + 0.7 * depth)
    high = point[:, 1] > -0.13
    pushed = np.where(high & (radius < wanted), wanted, radius)
    pull = high & (point[:, 1] > -0.06) & (radius > wanted)
    pushed = np.where(pull, radius + (wanted - radius) * growth.cling, pushed)
    out = scalp.place.centre + (point - scalp.place.centre) * (pushed / radius)[:, None]
    neck = np.hypot(out[:, 0], out[:, 2] + 0.095)
    inside = ~high & (neck < 0.072)
    out[inside, 0] *= 0.072 / np.maximum(neck[inside], 1e-3)
    return out

"""The average head, in whose coordinates everything on a head is placed: brows, beards, hats, necklines.

Two faces of different shape share their mesh, so a place on the average head is a place on every head.
Coordinates are metres from midway between the eyelids: x to the person's left, y up, z forward.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from facegate.synthesis.assets import LASH, SKIN, TEXTURE_SHAPE, HeadAssets
from facegate.synthesis.geometry import Array
from facegate.synthesis.shape import AVERAGE, mix

MARGIN = 0.0011
"""A lash vertex this near to the skin (metres, base mesh) is a root on the eyelid's margin."""


@dataclass(frozen=True, eq=False)
class Canonical:
    """Places on the average head.

    Attributes:
        positions: (P, 3) of the average head.
        vertices: (V, 3) the same per render vertex.
        lids: positions on the eyelids' margins, per eye (right, left).
        lash: (K, 2) positions: root and tip of each lash.
        nose, mouth: positions of the nose tip, and of the right and left mouth corner.
        eye: x of the left eye's centre.
        nose_y, mouth_y, chin_y, top_y: heights of these.
        centre: (3,) middle of the skull.
        ear: (V,) 0 to 1, 1 on the ears.
        texel: (rows, columns, 3) position of each texel; NaN-free, zero outside.
        covered: (rows, columns) texels that belong to the head.
        masks: (4, rows, columns) the assets' masks on these texels.
        tangent_u, tangent_v: (rows, columns, 3) unit step along the texture / metres, per texel axis.
    """

    positions: Array
    vertices: Array
    lids: tuple[NDArray[np.int64], NDArray[np.int64]]
    lash: NDArray[np.int64]
    nose: int
    mouth: tuple[int, int]
    eye: float
    nose_y: float
    mouth_y: float
    chin_y: float
    top_y: float
    centre: Array
    ear: Array
    texel: Array
    covered: NDArray[np.bool_]
    masks: Array
    tangent_u: Array
    tangent_v: Array


@functools.lru_cache(maxsize=2)
def canonical(assets: HeadAssets) -> Canonical:
    """Everything that is placed on the average head (a fraction of a second; remembered per assets)."""
    points = mix(assets, AVERAGE)
    lids, lash = _lids(assets)
    points = points - np.mean([points[side].mean(0) for side in lids], axis=0)
    vertices = points[assets.corner]
    skin = assets.vertices_of(SKIN)
    lips = skin[_at(assets.masks[1], assets.uv[skin]) > 0.5]
    right, left = int(lips[vertices[lips, 0].argmin()]), int(lips[vertices[lips, 0].argmax()])
    ridge = skin[(np.abs(vertices[skin, 0]) < 0.004) & (vertices[skin, 1] < 0)]
    nose = int(ridge[vertices[ridge, 2].argmax()])
    mouth_y = float(vertices[[right, left], 1].mean())
    below = mouth_y - vertices[ridge, 1]
    chin = ridge[(vertices[ridge, 2] > vertices[nose, 2] - 0.045) & (below > 0.012) & (below < 0.07)]
    texel, covered, du, dv = _bake(assets, vertices)
    return Canonical(
        positions=points.astype(np.float32),
        vertices=vertices.astype(np.float32),
        lids=lids,
        lash=lash,
        nose=int(assets.corner[nose]),
        mouth=(int(assets.corner[right]), int(assets.corner[left])),
        eye=float(points[lids[1], 0].mean()),
        nose_y=float(vertices[nose, 1]),
        mouth_y=mouth_y,
        chin_y=float(vertices[chin, 1].min()) if len(chin) else mouth_y - 0.04,
        top_y=float(vertices[skin, 1].max()),
        centre=np.array([0, 0.012, -0.083], np.float32),
        ear=_at(assets.masks[3], assets.uv) * np.isin(np.arange(len(vertices)), skin),
        texel=texel,
        covered=covered,
        masks=np.stack(
            [cv2.resize(m, TEXTURE_SHAPE[::-1], interpolation=cv2.INTER_AREA) for m in assets.masks]
        ),
        tangent_u=du,
        tangent_v=dv,
    )


def _at(mask: Array, uv: Array) -> Array:
    """Mask value at texture coordinates; 0 outside the head's window."""
    rows, columns = mask.shape
    inside = ((uv >= 0) & (uv < 1)).all(1)
    at = (np.clip(uv, 0, 0.9999) * (columns, rows)).astype(int)
    return (mask[at[:, 1], at[:, 0]] * inside).astype(np.float32)


def _lids(assets: HeadAssets) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Lid margin positions per eye (right, left), and (root, tip) of every lash."""
    base = assets.base
    lashes = np.unique(assets.corner[assets.vertices_of(LASH)])
    skin = np.unique(assets.corner[assets.vertices_of(SKIN)])
    near = skin[base[skin, 2] > base[lashes, 2].min() - 0.01]
    away = np.array([np.linalg.norm(base[near] - base[i], axis=1).min() for i in lashes])
    roots, tips = lashes[away < MARGIN], lashes[away > 1.6 * MARGIN]
    pairs = []
    for tip in tips:
        same = roots[np.sign(base[roots, 0]) == np.sign(base[tip, 0])]
        pairs.append((same[np.linalg.norm(base[same] - base[tip], axis=1).argmin()], tip))
    sides = (roots[base[roots, 0] < 0].astype(np.int64), roots[base[roots, 0] > 0].astype(np.int64))
    return sides, np.array(pairs, np.int64).reshape(-1, 2)


def _bake(assets: HeadAssets, vertices: Array) -> tuple[Array, NDArray[np.bool_], Array, Array]:
    rows, columns = TEXTURE_SHAPE
    at = assets.uv * (columns, rows)
    texel = np.zeros((rows, columns, 3), np.float32)
    covered = np.zeros((rows, columns), np.bool_)
    _bake_triangles(
        at.astype(np.float32),
        vertices.astype(np.float32),
        assets.triangles[assets.kind == SKIN],
        texel,
        covered,
    )
    tangents = []
    for axis in (1, 0):
        step = np.asarray(np.gradient(texel, axis=axis), np.float32)
        square = (step**2).sum(-1, keepdims=True)
        smooth = covered & (square[..., 0] < 0.004**2) & (square[..., 0] > 0)
        tangents.append(np.where(smooth[..., None], step / np.maximum(square, 1e-12), 0).astype(np.float32))
    return texel, covered, tangents[0], tangents[1]


@njit(nogil=True, cache=True)
def _bake_triangles(at, vertices, triangles, texel, covered):
    rows, columns = covered.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = at[a, 0], at[a, 1], at[b, 0], at[b, 1], at[c, 0], at[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9:
            continue
        for y in range(max(0, int(min(y0, y1, y2)) - 1), min(rows - 1, int(max(y0, y1, y2)) + 1) + 1):
            for x in range(max(0, int(min(x0, x1, x2)) - 1), min(columns - 1, int(max(x0, x1, x2)) + 1) + 1):
                px, py = x + 0.5, y + 0.5
                w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) / area
                w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) / area
                w2 = 1.0 - w0 - w1
                if min(w0, w1, w2) < -0.35 or (covered[y, x] and min(w0, w1, w2) < 0):
                    continue
                covered[y, x] = True
                for k in range(3):
                    texel[y, x, k] = w0 * vertices[a, k] + w1 * vertices[b, k] + w2 * vertices[c, k]

"""How much of the surrounding light reaches each place of a head (precomputed radiance transfer).

For a set of directions the head is seen from there as a depth map; a vertex that the map hides gets no light
from that direction. The result, projected on spherical harmonics, makes soft ambient light with
self-shadowing as cheap as nine products per vertex (Sloan et al. 2002).
"""

import functools

import numpy as np
from numba import njit

from facegate.synthesis.geometry import Array, harmonics, light_basis, sphere_points
from facegate.synthesis.raster import FAR, depth_map, parallel_projection

DIRECTIONS = 40
SIZE = 88
EXTENT = 0.62
CENTRE = np.array([0, -0.05, -0.085], np.float32)
BIAS = np.float32(0.011)
HAIR_DENSITY = np.float32(0.60)


@functools.lru_cache(maxsize=1)
def _sky() -> tuple[Array, Array, Array]:
    directions = sphere_points(DIRECTIONS)
    return directions, np.stack([light_basis(d) for d in directions]), harmonics(directions)


def skin_depths(vertices: Array, triangles: np.ndarray) -> Array:
    """(D, n, n) depth of the head seen from every direction."""
    _, bases, _ = _sky()
    maps = np.full((DIRECTIONS, SIZE, SIZE), FAR, np.float32)
    seen = np.empty_like(vertices)
    for basis, depth in zip(bases, maps, strict=True):
        parallel_projection(vertices, basis, np.float32(SIZE / EXTENT), CENTRE, SIZE, seen)
        depth_map(seen, triangles, depth)
    return maps


def transfer(vertices: Array, normals: Array, depths: Array, hair: Array) -> Array:
    """Transfer coefficients (V, 9): irradiance/π is their product with the light's coefficients.

    Args:
        vertices: (V, 3) metres.
        normals: (V, 3) unit.
        depths: what :func:`skin_depths` gave.
        hair: (N, 3) points of hair that shades the skin.
    """
    directions, bases, basis_functions = _sky()
    out = np.zeros((len(vertices), 9), np.float32)
    scale = np.float32(SIZE / EXTENT)
    _gather(vertices, normals, hair, depths, directions, bases, basis_functions, scale, CENTRE, out)
    return out * np.float32(4 / DIRECTIONS)


@njit(nogil=True, cache=True, fastmath=True)
def _gather(vertices, normals, hair, depths, directions, bases, functions, scale, centre, out):
    size = depths.shape[1]
    seen = np.empty_like(vertices)
    strands = np.empty_like(hair)
    for d in range(depths.shape[0]):
        parallel_projection(vertices, bases[d], scale, centre, size, seen)
        near = np.full((size, size), np.float32(1e9), np.float32)
        count = np.zeros((size, size), np.float32)
        parallel_projection(hair, bases[d], scale, centre, size, strands)
        for i in range(hair.shape[0]):
            x, y = int(strands[i, 0]), int(strands[i, 1])
            if 0 <= x < size and 0 <= y < size:
                near[y, x] = min(near[y, x], strands[i, 2])
                count[y, x] += 1
        for i in range(vertices.shape[0]):
            cosine = (
                normals[i, 0] * directions[d, 0]
                + normals[i, 1] * directions[d, 1]
                + normals[i, 2] * directions[d, 2]
            )
            if cosine <= 0:
                continue
            x, y = int(seen[i, 0]), int(seen[i, 1])
            if 0 <= x < size and 0 <= y < size:
                if seen[i, 2] > depths[d, y, x] + BIAS:
                    continue
                if seen[i, 2] > near[y, x] + np.float32(0.003):
                    cosine *= np.exp(-HAIR_DENSITY * count[y, x])
            for k in range(9):
                out[i, k] += cosine * functions[d, k]

"""Rasterising: triangles into a depth buffer, hair strands into soft coverage, shadow maps.

Plain loops compiled by numba, single-threaded and without chance, so that a picture is the same on every
run. In here pixel (x, y) covers the square from (x, y) to (x+1, y+1); depth grows away from the viewer.
"""

import math

import numpy as np
from numba import njit

FAR = np.float32(1e9)
HALF = np.float32(0.5)
SLACK = np.float32(1e-4)
"""Pixels by which a triangle reaches over its edges, so that rounding leaves no crack between two."""


@njit(nogil=True, cache=True, fastmath=True)
def vertex_normals(points, triangles, out):
    """Area-weighted unit normals of (P, 3) `points` into `out` (P, 3)."""
    out[:] = 0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = points[b, 0] - points[a, 0]
        uy = points[b, 1] - points[a, 1]
        uz = points[b, 2] - points[a, 2]
        vx = points[c, 0] - points[a, 0]
        vy = points[c, 1] - points[a, 1]
        vz = points[c, 2] - points[a, 2]
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for i in range(out.shape[0]):
        length = math.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + np.float32(1e-20)
        for k in range(3):
            out[i, k] /= length


@njit(nogil=True, cache=True, fastmath=True)
def carry(points, follows, pivot, head, body, middle, out):
    """Turn (N, 3) `points` about `pivot`, into `out`: with the head as far as they follow it, else with the body.

    Args:
        points: metres.
        follows: (N,) 1 on the head and 0 on the body.
        pivot: (3,) where the head turns on the neck.
        head: (3, 3) rotation of the head.
        body: (3, 3) rotation of the body.
        middle: (3,) what becomes the origin.
        out: (N, 3) metres.
    """
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - pivot[0], points[i, 1] - pivot[1], points[i, 2] - pivot[2]
        for k in range(3):
            turned = body[k, 0] * x + body[k, 1] * y + body[k, 2] * z
            nodded = head[k, 0] * x + head[k, 1] * y + head[k, 2] * z
            out[i, k] = turned + (nodded - turned) * follows[i] - middle[k]


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _centres(low, high, size):
    """First and last of `size` pixels whose centres lie between two places, by cutting off fractions."""
    zero, end = np.float32(0), np.float32(size)
    first = np.int32(min(max(low + HALF, zero), end))
    last = np.int32(min(max(high + HALF, zero), end)) - 1
    return first, last


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _span(x0, y0, x1, y1, x2, y2, y, size):
    """First and last of `size` pixels whose centres, at height `y`, lie in a triangle or within `SLACK` of it."""
    low, high = FAR, -FAR
    if (y0 <= y) != (y1 <= y):
        x = x0 + (y - y0) * ((x1 - x0) / (y1 - y0))
        low, high = min(low, x), max(high, x)
    if (y1 <= y) != (y2 <= y):
        x = x1 + (y - y1) * ((x2 - x1) / (y2 - y1))
        low, high = min(low, x), max(high, x)
    if (y2 <= y) != (y0 <= y):
        x = x2 + (y - y2) * ((x0 - x2) / (y0 - y2))
        low, high = min(low, x), max(high, x)
    return _centres(low - SLACK, high + SLACK, size)


@njit(nogil=True, cache=True, fastmath=True)
def rasterise(screen, triangles, bias, single_sided, keep, offset, depth, ids):
    """Draw triangles into `depth` and `ids`.

    Args:
        screen: (V, 3) x, y in pixels and depth in metres.
        triangles: (T, 3) vertices.
        bias: (T,) metres added to the depth in the comparison.
        single_sided: (T,) triangles to drop when seen from behind.
        keep: (V,) a pixel is drawn where this, interpolated, is positive.
        offset: added to triangle numbers in `ids`.
        depth: (H, W) nearest depth so far.
        ids: (H, W) triangle there, -1 for none.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if keep[a] <= 0 and keep[b] <= 0 and keep[c] <= 0:
            continue
        x0, y0, x1, y1, x2, y2 = (
            screen[a, 0],
            screen[a, 1],
            screen[b, 0],
            screen[b, 1],
            screen[c, 0],
            screen[c, 1],
        )
        left, right = _centres(min(x0, x1, x2), max(x0, x1, x2), width)
        top, bottom = _centres(min(y0, y1, y2), max(y0, y1, y2), height)
        if left > right or top > bottom:
            continue
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9 or (single_sided[t] and area >= 0):
            continue
        inverse = np.float32(1.0) / area
        iz0 = np.float32(1.0) / screen[a, 2]
        iz1 = np.float32(1.0) / screen[b, 2]
        iz2 = np.float32(1.0) / screen[c, 2]
        for y in range(top, bottom + 1):
            py = np.float32(y) + HALF
            left, right = _span(x0, y0, x1, y1, x2, y2, py, width)
            for x in range(left, right + 1):
                px = np.float32(x) + HALF
                w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
                w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
                w2 = np.float32(1.0) - w0 - w1
                if w0 * keep[a] + w1 * keep[b] + w2 * keep[c] <= 0:
                    continue
                z = np.float32(1.0) / (w0 * iz0 + w1 * iz1 + w2 * iz2) + bias[t]
                if z < depth[y, x]:
                    depth[y, x] = z
                    ids[y, x] = t + offset


@njit(nogil=True, cache=True, fastmath=True)
def depth_map(points, triangles, depth):
    """Draw triangles of (V, 3) `points` (pixels, pixels, depth), seen in parallel projection."""
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = (
            points[a, 0],
            points[a, 1],
            points[b, 0],
            points[b, 1],
            points[c, 0],
            points[c, 1],
        )
        left, right = _centres(min(x0, x1, x2), max(x0, x1, x2), width)
        top, bottom = _centres(min(y0, y1, y2), max(y0, y1, y2), height)
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if left > right or top > bottom or abs(area) < 1e-9:
            continue
        inverse = np.float32(1.0) / area
        for y in range(top, bottom + 1):
            py = np.float32(y) + HALF
            left, right = _span(x0, y0, x1, y1, x2, y2, py, width)
            for x in range(left, right + 1):
                px = np.float32(x) + HALF
                w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
                w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
                w2 = np.float32(1.0) - w0 - w1
                z = w0 * points[a, 2] + w1 * points[b, 2] + w2 * points[c, 2]
                depth[y, x] = min(depth[y, x], z)


@njit(nogil=True, cache=True, fastmath=True)
def splat_depth(points, depth, density):
    """Add (N, 3) `points` to a nearest-depth map and count them per pixel."""
    height, width = depth.shape
    for i in range(points.shape[0]):
        x, y = math.floor(points[i, 0]), math.floor(points[i, 1])
        if 0 <= x < width and 0 <= y < height:
            depth[y, x] = min(depth[y, x], points[i, 2])
            density[y, x] += 1


@njit(nogil=True, cache=True, fastmath=True)
def parallel_projection(points, basis, scale, centre, size, out):
    """Project (N, 3) `points` on a square map.

    Args:
        points: metres.
        basis: (3, 3) rows right, up, towards the light.
        scale: pixels per metre.
        centre: (3,) what falls on the middle of the map.
        size: pixels per side.
        out: (N, 3) x, y in pixels and depth in metres away from the light.
    """
    half = np.float32(size * 0.5)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        out[i, 0] = half + scale * (basis[0, 0] * x + basis[0, 1] * y + basis[0, 2] * z)
        out[i, 1] = half - scale * (basis[1, 0] * x + basis[1, 1] * y + basis[1, 2] * z)
        out[i, 2] = -(basis[2, 0] * x + basis[2, 1] * y + basis[2, 2] * z)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _hidden(depth, screen, s, j):
    """Whether a strand's point lies well behind a surface."""
    x, y = int(screen[s, j, 0]), int(screen[s, j, 1])
    inside = 0 <= x < depth.shape[1] and 0 <= y < depth.shape[0]
    return inside and screen[s, j, 2] > depth[y, x] + np.float32(0.02)


@njit(nogil=True, cache=True, fastmath=True)
def splat_strands(screen, colour, width, alpha, depth, bias, nearest, total, clear, final):
    """Draw strands as soft lines over what `depth` holds, in one of two passes.

    The first pass finds the `nearest` strand of every pixel; the final one sums colours weighted towards it
    (weighted blended transparency) and multiplies up what stays `clear`.

    Args:
        screen: (S, J, 3) x, y in pixels and depth in metres.
        colour: (S, J, 3) linear colour.
        width: (S, J) pixels.
        alpha: (S, J) opacity of a fully covered pixel, 0 to 1; 0 skips.
        depth: (H, W) depth of the surfaces.
        bias: metres by which a strand may lie behind a surface and still show.
        nearest: (H, W) depth of the nearest strand.
        total: (H, W, 4) weighted colour sum and weight sum.
        clear: (H, W) fraction of the surface that shows through.
        final: whether this is the final pass.
    """
    height, wide = depth.shape
    half, one, deep = HALF, np.float32(1.0), np.float32(0.014)
    for s in range(screen.shape[0]):
        for j in range(screen.shape[1] - 1):
            opacity = half * (alpha[s, j] + alpha[s, j + 1])
            if opacity <= 0 or alpha[s, j] <= 0:
                continue
            x0, y0, x1, y1 = screen[s, j, 0], screen[s, j, 1], screen[s, j + 1, 0], screen[s, j + 1, 1]
            dx, dy = x1 - x0, y1 - y0
            if max(x0, x1) < -4 or min(x0, x1) > wide + 4 or max(y0, y1) < -4 or min(y0, y1) > height + 4:
                continue
            steep = abs(dy) > abs(dx)
            long = max(abs(dx), abs(dy))
            length = math.sqrt(dx * dx + dy * dy)
            if length < 1e-4 or (_hidden(depth, screen, s, j) and _hidden(depth, screen, s, j + 1)):
                continue
            lean = long / length
            r0, r1 = half * width[s, j], half * width[s, j + 1]
            start = (y0 if y0 < y1 else y1) if steep else (x0 if x0 < x1 else x1)
            from_, per_pixel = (y0, one / dy) if steep else (x0, one / dx)
            first, last = _centres(start, start + long, height if steep else wide)
            for m in range(first, last + 1):
                centre = np.float32(m) + half
                f = (centre - from_) * per_pixel
                across = x0 + f * dx if steep else y0 + f * dy
                z = screen[s, j, 2] + f * (screen[s, j + 1, 2] - screen[s, j, 2])
                x, y = (np.int32(across), m) if steep else (m, np.int32(across))
                inside = 0 <= x < wide and 0 <= y < height
                if not final:
                    if inside and z <= depth[y, x] + bias:
                        nearest[y, x] = min(nearest[y, x], z)
                    continue
                if inside and z > nearest[y, x] + deep:
                    continue
                r = r0 + f * (r1 - r0)
                c0 = colour[s, j, 0] + f * (colour[s, j + 1, 0] - colour[s, j, 0])
                c1 = colour[s, j, 1] + f * (colour[s, j + 1, 1] - colour[s, j, 1])
                c2 = colour[s, j, 2] + f * (colour[s, j + 1, 2] - colour[s, j, 2])
                reach = (r + half) / lean
                left, right = _centres(across - reach, across + reach, wide if steep else height)
                for n in range(left, right + 1):
                    x, y = (n, m) if steep else (m, n)
                    near = nearest[y, x]
                    if z > min(near + deep, depth[y, x] + bias):
                        continue
                    away = abs(np.float32(n) + half - across) * lean
                    a = max(min(r + half - away, r + r, one), np.float32(0)) * opacity
                    behind = max(z - near, np.float32(0.0)) * np.float32(220.0)
                    weight = a / (one + behind * behind)
                    total[y, x, 0] += weight * c0
                    total[y, x, 1] += weight * c1
                    total[y, x, 2] += weight * c2
                    total[y, x, 3] += weight
                    clear[y, x] *= one - a


@njit(nogil=True, cache=True, fastmath=True)
def composite(picture, alpha, total, clear):
    """Lay the strands of `total` and `clear` over `picture` (H, W, 3) and `alpha` (H, W), in place."""
    height, width = clear.shape
    for y in range(height):
        for x in range(width):
            if total[y, x, 3] > 0:
                inverse = (np.float32(1.0) - clear[y, x]) / total[y, x, 3]
                for k in range(3):
                    picture[y, x, k] = picture[y, x, k] * clear[y, x] + total[y, x, k] * inverse
                alpha[y, x] = np.float32(1.0) - (np.float32(1.0) - alpha[y, x]) * clear[y, x]

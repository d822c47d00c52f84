"""What light makes of skin, eyes, cloth and hair: the colour of every pixel.

Skin is diffuse with colour-dependent wrap (a cheap stand-in for scattering below the surface) under two GGX
lobes; eyes are a ball with iris, pupil and cornea; hair is Kajiya-Kay along its strands. All colours are
scene-linear RGB.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from facegate.synthesis.geometry import Array

PI_INVERSE = np.float32(1 / math.pi)
ZERO, ONE = np.float32(0), np.float32(1)
"""Plain numbers would turn single into double precision in compiled code, at twice the time."""
AWAY = np.float32(-0.6)
"""Cosine to the light below which no relief brings light to a surface, so that its shadow need not be read."""
TAPS = 5
"""Places where the shadow map is read for one pixel."""
TURNS = 32
"""Ways to turn those places, so that the shadow's edge becomes fine noise."""


def shadow_taps() -> Array:
    """(TURNS, TAPS, 2) places within the unit disc, on a spiral."""
    j = np.arange(TAPS)
    angle = 2.39996 * j + 2 * np.pi * np.arange(TURNS)[:, None] / TURNS
    radius = np.sqrt((j + 0.5) / TAPS)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)


Floats = tuple[np.float32, ...]


class Lighting(NamedTuple):
    """Light as the kernels want it: tuples, whose access costs nothing in compiled code.

    Attributes:
        towards: (3,) unit vector to the key light.
        colour: (3,) of the key light.
        fill_towards: (3,) unit vector to the light without shadow.
        fill_colour: (3,) of that.
        camera: (3,) position.
        softness: blur of the shadow, texels.
    """

    towards: Floats
    colour: Floats
    fill_towards: Floats
    fill_colour: Floats
    camera: Floats
    softness: np.float32


class Surface(NamedTuple):
    """What covers the head's mesh.

    Attributes:
        head: (9,) rotation of the head, row by row, for the relief.
        eyes: (6,) centres of the eyeballs, right then left.
        gaze: (6,) unit vectors, right then left.
        iris: (9,) see ``Identity.iris``.
        skin: (4,) relief strength, gloss strength, roughness, scattering.
        cloth: (14,) see ``wear.Clothing.parameters``.
        holes: (8,) eye holes of a mask: |x|, y, half width (0 for none), half height, wearer's skin, rim.
    """

    head: Floats
    eyes: Floats
    gaze: Floats
    iris: Floats
    skin: Floats
    cloth: Floats
    holes: Floats


def floats(values: Array) -> Floats:
    """An array as a flat tuple of float32."""
    return tuple(np.asarray(values, np.float32).reshape(-1))


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _chance(a, b):
    h = (a * 374761393 + b * 668265263) & 0x7FFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0x7FFFFFFF
    return np.float32((h ^ (h >> 16)) & 0xFFFF) * np.float32(1 / 65535)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _visible(shadow, taps, softness, sx, sy, sz, bias, turn, count):
    """Share of the key light that reaches a place: surfaces block it, hair dims it."""
    size = shadow.shape[0]
    seen = ZERO
    for j in range(count):
        x = int(sx + softness * taps[turn, j, 0])
        y = int(sy + softness * taps[turn, j, 1])
        if x < 0 or y < 0 or x >= size or y >= size:
            seen += ONE
        elif sz < shadow[y, x, 0] + bias:
            behind = min((sz - shadow[y, x, 1] - np.float32(0.003)) * np.float32(90), ONE)
            if behind > 0:
                seen += math.exp(np.float32(-0.45) * shadow[y, x, 2] * behind)
            else:
                seen += ONE
    return seen / np.float32(count)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _ggx(nh, nv, nl, vh, roughness, f0):
    a = roughness * roughness
    d = nh * nh * (a * a - ONE) + ONE
    k = a * np.float32(0.5)
    g = (nl * (ONE - k) + k) * (nv * (ONE - k) + k) * np.float32(4) + np.float32(1e-6)
    f = f0 + (ONE - f0) * _fifth(ONE - vh)
    return a * a * f / ((np.float32(math.pi) * d * d + np.float32(1e-9)) * g)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _fifth(x):
    square = x * x
    return square * square * x


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _seventh(x):
    return _fifth(x) * x * x


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _soften(seen, power):
    """`seen` to a power; most places are fully lit or fully dark."""
    if seen <= ZERO or seen >= np.float32(0.999):
        return seen
    return math.exp(power * math.log(seen))


@njit(nogil=True, cache=True, fastmath=True)
def shade_surfaces(
    ids, screen, triangles, kind, vertex, paint, texture, shadow, taps, light, surface, picture
):
    """Colour every pixel that shows a surface.

    Args:
        ids: (H, W) triangle per pixel, -1 where none.
        screen: (V, 3) pixels and depth.
        triangles: (T, 3) vertices.
        kind: (T,) 0 skin, 1 eye, 2 teeth, 3 tongue, 5 plain colour.
        vertex: (V, 18) position, normal, texture coordinates, place on the average head, ambient light,
            openness, shadow map position.
        paint: (V, 3) colour of what is not textured.
        texture: (rows, columns, 7) colour, gloss and relief of the skin.
        shadow: (n, n, 3) seen from the key light: depth of surfaces, depth and number of hair points.
        taps: :func:`shadow_taps`.
        light: :class:`Lighting`.
        surface: :class:`Surface`.
        picture: (H, W, 3) to write into.
    """
    height, width = ids.shape
    at, texel = np.empty(18, np.float32), np.empty(7, np.float32)
    last = -1
    a = b = c = triangles[0, 0]
    x0 = y0 = x1 = y1 = x2 = y2 = near0 = near1 = near2 = ZERO
    for y in range(height):
        for x in range(width):
            t = ids[y, x]
            if t < 0:
                continue
            if t != last:  # neighbouring pixels mostly show the same triangle
                last = t
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                x0, y0, x1, y1, x2, y2 = (
                    screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1],
                )  # fmt: skip
                inverse = ONE / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
                near0, near1, near2 = inverse / screen[a, 2], inverse / screen[b, 2], inverse / screen[c, 2]
            px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * near0
            w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * near1
            w2 = ((x0 - px) * (y1 - py) - (x1 - px) * (y0 - py)) * near2
            scale = ONE / (w0 + w1 + w2)
            w0 *= scale
            w1 *= scale
            w2 *= scale
            for k in range(18):
                at[k] = w0 * vertex[a, k] + w1 * vertex[b, k] + w2 * vertex[c, k]
            facing = at[3] * light.towards[0] + at[4] * light.towards[1] + at[5] * light.towards[2]
            seen = ZERO
            if facing > AWAY:
                turn = int(_chance(x, y) * np.float32(31.9))
                seen = _visible(
                    shadow, taps, light.softness, at[15], at[16], at[17], np.float32(0.005), turn, TAPS
                )
            if kind[t] == 0:
                below = _below_collar(at[8], at[9], at[10], surface.cloth)
                if below > ZERO:
                    r, g, bl = _cloth(at, seen, light, surface.cloth, below)
                else:
                    _texel(texture, at[6], at[7], texel)
                    r, g, bl = _skin(at, texel, seen, light, surface)
            elif kind[t] == 1:
                r, g, bl = _eye(at, seen, light, surface)
            else:
                r, g, bl = _plain(at, seen, light, paint[a, 0], paint[a, 1], paint[a, 2], kind[t])
            picture[y, x, 0] = r
            picture[y, x, 1] = g
            picture[y, x, 2] = bl


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _unit(x, y, z):
    inverse = ONE / math.sqrt(x * x + y * y + z * z + np.float32(1e-12))
    return x * inverse, y * inverse, z * inverse


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _texel(texture, u, v, out):
    rows, columns = np.float32(texture.shape[0]), np.float32(texture.shape[1])
    fu = min(max(u * columns - np.float32(0.5), ZERO), columns - np.float32(1.001))
    fv = min(max(v * rows - np.float32(0.5), ZERO), rows - np.float32(1.001))
    i, j = int(fu), int(fv)
    du, dv = fu - np.float32(i), fv - np.float32(j)
    for k in range(7):
        top = texture[j, i, k] + du * (texture[j, i + 1, k] - texture[j, i, k])
        low = texture[j + 1, i, k] + du * (texture[j + 1, i + 1, k] - texture[j + 1, i, k])
        out[k] = top + dv * (low - top)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _below_collar(x, y, z, cloth):
    """Metres below the edge of the clothes; not above zero where the skin is bare."""
    if y >= cloth[0] + abs(cloth[1]):
        return ZERO
    wide = x / cloth[2]
    scoop = ONE if z > np.float32(-0.12) else np.float32(0.15)
    return cloth[0] - cloth[1] * math.exp(-wide * wide) * scoop - y


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _skin(at, texel, seen, light, surface):
    nx, ny, nz = _unit(at[3], at[4], at[5])
    vx, vy, vz = _unit(light.camera[0] - at[0], light.camera[1] - at[1], light.camera[2] - at[2])
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    x, y, z = at[8], at[9], at[10]
    r, g, b, gloss = texel[0], texel[1], texel[2], texel[3] * surface.skin[1]
    openness = at[14]
    relief = surface.skin[0]
    head = surface.head
    bx, by, bz = _unit(
        nx + relief * (head[0] * texel[4] + head[1] * texel[5] + head[2] * texel[6]),
        ny + relief * (head[3] * texel[4] + head[4] * texel[5] + head[5] * texel[6]),
        nz + relief * (head[6] * texel[4] + head[7] * texel[5] + head[8] * texel[6]),
    )
    e0, e1, e2 = at[11], at[12], at[13]
    if at[7] > np.float32(0.985):  # inside of the mouth
        r, g, b, gloss = np.float32(0.20), np.float32(0.055), np.float32(0.05), np.float32(0.2)
        openness *= openness
        e0 *= np.float32(0.35)
        e1 *= np.float32(0.3)
        e2 *= np.float32(0.3)
        seen *= np.float32(0.35)
    holes = surface.holes
    scatter, roughness = surface.skin[3], surface.skin[2]
    if holes[2] > ZERO and z > np.float32(-0.05):
        right, up = (abs(x) - holes[0]) / holes[2], (y - holes[1]) / holes[3]
        q = right * right + up * up
        if q < 1:  # the wearer's skin, in the depth of the hole
            deep = np.float32(0.4) + np.float32(0.5) * min(ONE, (ONE - q) * np.float32(2))
            r, g, b = holes[4] * deep, holes[5] * deep, holes[6] * deep
            gloss, roughness, scatter = np.float32(0.5), np.float32(0.5), ONE
        elif q < 1.35:  # its cut edge
            r, g, b = r * holes[7], g * holes[7], b * holes[7]
    nl = nx * lx + ny * ly + nz * lz
    bl = bx * lx + by * ly + bz * lz
    soft = (np.float32(0.6) * nl + np.float32(0.4) * bl) * scatter + bl * (ONE - scatter)
    wr, wg, wb = np.float32(0.28) * scatter, np.float32(0.11) * scatter, np.float32(0.06) * scatter
    blurred = _soften(seen, ONE - np.float32(0.4) * scatter)
    d0 = max(ZERO, (soft + wr) / (ONE + wr)) * blurred * PI_INVERSE
    d1 = max(ZERO, (bl + wg) / (ONE + wg)) * seen * PI_INVERSE
    d2 = max(ZERO, (bl + wb) / (ONE + wb)) * seen * PI_INVERSE
    fill = bx * light.fill_towards[0] + by * light.fill_towards[1] + bz * light.fill_towards[2]
    fill = max(ZERO, fill) * openness * PI_INVERSE
    flat = max(nx * vx + ny * vy + nz * vz, np.float32(0.25))
    tilt = np.float32(0.75) + np.float32(0.25) * (bx * vx + by * vy + bz * vz) / flat
    tilt = min(max(tilt, np.float32(0.6)), np.float32(1.3))
    out0 = r * (e0 * tilt + d0 * light.colour[0] + fill * light.fill_colour[0])
    out1 = g * (e1 * tilt + d1 * light.colour[1] + fill * light.fill_colour[1])
    out2 = b * (e2 * tilt + d2 * light.colour[2] + fill * light.fill_colour[2])
    nv = max(np.float32(0.02), bx * vx + by * vy + bz * vz)
    hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
    if bl > ZERO:
        nh, vh = (
            max(ZERO, bx * hx + by * hy + bz * hz),
            max(ZERO, vx * hx + vy * hy + vz * hz),
        )
        shine = np.float32(0.75) * _ggx(nh, nv, bl, vh, roughness, np.float32(0.028))
        shine += np.float32(0.25) * _ggx(nh, nv, bl, vh, roughness * np.float32(0.6), np.float32(0.028))
        shine *= bl * seen * gloss
        out0 += shine * light.colour[0]
        out1 += shine * light.colour[1]
        out2 += shine * light.colour[2]
    rim = (
        (np.float32(0.028) + np.float32(0.45) * _fifth(ONE - nv))
        * gloss
        * openness
        * openness
        * np.float32(0.6)
    )
    return out0 + rim * e0, out1 + rim * e1, out2 + rim * e2


@njit(nogil=True, cache=True, fastmath=True)
def _cloth(at, seen, light, cloth, below):
    nx, ny, nz = _unit(at[3], at[4], at[5])
    nl = nx * light.towards[0] + ny * light.towards[1] + nz * light.towards[2]
    x, y, z = at[8], at[9], at[10]
    pattern, second = 0.0, 0.0
    if cloth[9] > 0:
        f = y * cloth[9] + 0.15 * x
        pattern = 1.0 if f - math.floor(f) < cloth[11] else 0.0
    if cloth[10] > 0:
        f = x * cloth[10] + 0.1 * y
        second = 1.0 if f - math.floor(f) < cloth[11] else 0.0
    if cloth[9] > 0 and cloth[10] > 0:
        pattern = 0.5 * (pattern + second)
    elif cloth[10] > 0:
        pattern = second
    hem = min(1.0, below / 0.005)
    fold = 0.86 + 0.22 * math.sin(x * 55 + 3 * math.sin(y * 40 + z * 30 + cloth[12])) * min(1.0, below / 0.04)
    weave = 0.94 + 0.12 * _chance(int(x * 1500) + 5000, int(y * 1500) + 5000)
    band = cloth[13] if below < 0.014 else 1.0
    shade = np.float32((0.55 + 0.45 * hem) * fold * weave * band)
    lit = max(ZERO, nl) * seen * PI_INVERSE
    return (
        np.float32(cloth[3] + (cloth[6] - cloth[3]) * pattern) * shade * (at[11] + lit * light.colour[0]),
        np.float32(cloth[4] + (cloth[7] - cloth[4]) * pattern) * shade * (at[12] + lit * light.colour[1]),
        np.float32(cloth[5] + (cloth[8] - cloth[5]) * pattern) * shade * (at[13] + lit * light.colour[2]),
    )


@njit(nogil=True, cache=True, fastmath=True)
def _eye(at, seen, light, surface):
    eyes, gaze, iris = surface.eyes, surface.gaze, surface.iris
    right = abs(at[0] - eyes[0]) + abs(at[1] - eyes[1]) < abs(at[0] - eyes[3]) + abs(at[1] - eyes[4])
    if right:
        nx, ny, nz = _unit(at[0] - eyes[0], at[1] - eyes[1], at[2] - eyes[2])
        gx, gy, gz = gaze[0], gaze[1], gaze[2]
    else:
        nx, ny, nz = _unit(at[0] - eyes[3], at[1] - eyes[4], at[2] - eyes[5])
        gx, gy, gz = gaze[3], gaze[4], gaze[5]
    along = nx * gx + ny * gy + nz * gz
    tx, ty, tz = nx - along * gx, ny - along * gy, nz - along * gz
    away = math.sqrt(max(ZERO, 1 - along * along))
    around = math.atan2(ty, tx)
    inside = along > 0 and away < iris[0]
    if inside:
        q = away / iris[0]
        fibre = 0.78 + 0.22 * math.sin(around * 23 + 3 * math.sin(around * 7 + iris[8])) * (
            0.5 + 0.5 * math.sin(around * 41 + iris[8] * 3)
        )
        m = min(1.0, max(0.0, (q - iris[1]) / (0.62 - iris[1])))
        limbus = 0.25 + 0.75 * min(1.0, (1 - q) / 0.18)
        pupil = min(1.0, max(0.0, (q - iris[1]) / 0.09))
        f = np.float32(fibre * limbus * pupil)
        r = (iris[2] * m + iris[5] * (1 - m)) * f + np.float32(0.004)
        g = (iris[3] * m + iris[6] * (1 - m)) * f + np.float32(0.004)
        b = (iris[4] * m + iris[7] * (1 - m)) * f + np.float32(0.004)
    else:
        vein = max(0.0, 1 - 6 * abs(math.sin(around * 9 + 2 * math.sin(away * 14 + around * 3))))
        vein *= min(1.0, max(0.0, (away - 0.6) * 2)) * 0.2
        fade = 1 - 0.3 * away
        r, g, b = np.float32(0.66 * fade), np.float32(0.585 * (fade - vein)), np.float32(0.55 * (fade - vein))
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    lit = max(ZERO, (nx * lx + ny * ly + nz * lz + np.float32(0.2)) / np.float32(1.2)) * seen * PI_INVERSE
    open_ = np.float32(0.45) + np.float32(0.55) * at[14]
    fill = nx * light.fill_towards[0] + ny * light.fill_towards[1] + nz * light.fill_towards[2]
    fill = max(ZERO, fill) * at[14] * PI_INVERSE
    out0 = r * (at[11] * open_ + lit * light.colour[0] + fill * light.fill_colour[0])
    out1 = g * (at[12] * open_ + lit * light.colour[1] + fill * light.fill_colour[1])
    out2 = b * (at[13] * open_ + lit * light.colour[2] + fill * light.fill_colour[2])
    if along > 0 and away < iris[0] * np.float32(1.15):  # the cornea bulges
        nx, ny, nz = _unit(nx + np.float32(0.8) * tx, ny + np.float32(0.8) * ty, nz + np.float32(0.8) * tz)
    vx, vy, vz = _unit(light.camera[0] - at[0], light.camera[1] - at[1], light.camera[2] - at[2])
    hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
    glint = max(ZERO, nx * hx + ny * hy + nz * hz) ** 320 * np.float32(0.9) * seen
    hx, hy, hz = _unit(vx + light.fill_towards[0], vy + light.fill_towards[1], vz + light.fill_towards[2])
    spark = max(ZERO, nx * hx + ny * hy + nz * hz) ** 260 * np.float32(0.35) * at[14]
    up = 2 * (nx * vx + ny * vy + nz * vz) * ny - vy
    mirror = np.float32(0.03) * at[14] * (np.float32(0.6) + np.float32(1.6) * max(ZERO, up))
    return (
        out0 + glint * light.colour[0] + spark * light.fill_colour[0] + mirror * at[11],
        out1 + glint * light.colour[1] + spark * light.fill_colour[1] + mirror * at[12],
        out2 + glint * light.colour[2] + spark * light.fill_colour[2] + mirror * at[13],
    )


@njit(nogil=True, cache=True, fastmath=True)
def _plain(at, seen, light, r, g, b, kind):
    nx, ny, nz = _unit(at[3], at[4], at[5])
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    lit = max(ZERO, nx * lx + ny * ly + nz * lz) * seen * PI_INVERSE
    fill = nx * light.fill_towards[0] + ny * light.fill_towards[1] + nz * light.fill_towards[2]
    fill = max(ZERO, fill) * at[14] * PI_INVERSE
    shade = np.float32(0.45) * at[14] if kind < 5 else ONE
    if kind >= 5:  # knitted or woven
        shade *= np.float32(0.85) + np.float32(0.3) * _chance(
            int(at[8] * 900) + 7000, int((at[9] + at[10]) * 900) + 7000
        )
        lit *= shade
        fill *= shade
    return (
        r * (at[11] * shade + lit * light.colour[0] + fill * light.fill_colour[0]),
        g * (at[12] * shade + lit * light.colour[1] + fill * light.fill_colour[1]),
        b * (at[13] * shade + lit * light.colour[2] + fill * light.fill_colour[2]),
    )


@njit(nogil=True, cache=True, fastmath=True)
def shade_strands(points, screen, depth, colour, shadow_at, middle, sky, shadow, taps, light, gloss, out):
    """Colour the points of strands; those well behind a surface are left as they are.

    Args:
        points: (S, J, 3) in the camera's frame.
        screen: (S, J, 3) where they are seen, and how deep.
        depth: (H, W) of the surfaces.
        colour: (S, J, 3) reflectance.
        shadow_at: (S * J, 3) positions on the shadow map.
        middle: (3,) of the skull: ambient light comes from away of it.
        sky: (9, 3) coefficients of the ambient light in the camera's frame.
        shadow: as in :func:`shade_surfaces`.
        taps: :func:`shadow_taps`.
        light: :class:`Lighting`.
        gloss: strength of the highlight.
        out: (S, J, 3) linear colour.
    """
    last = points.shape[1] - 1
    height, width = depth.shape
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    for s in range(points.shape[0]):
        for j in range(last + 1):
            px, py = int(screen[s, j, 0]), int(screen[s, j, 1])
            if 0 <= px < width and 0 <= py < height and screen[s, j, 2] > depth[py, px] + np.float32(0.03):
                continue
            p, q = max(j - 1, 0), min(j + 1, last)
            tx, ty, tz = _unit(
                points[s, q, 0] - points[s, p, 0],
                points[s, q, 1] - points[s, p, 1],
                points[s, q, 2] - points[s, p, 2],
            )
            x, y, z = points[s, j, 0], points[s, j, 1], points[s, j, 2]
            nx, ny, nz = _unit(x - middle[0], y - middle[1], z - middle[2])
            k = s * (last + 1) + j
            sx, sy, sz = shadow_at[k, 0], shadow_at[k, 1], shadow_at[k, 2]
            seen = _visible(shadow, taps, light.softness, sx, sy, sz, np.float32(0.006), s & 31, 2)
            vx, vy, vz = _unit(light.camera[0] - x, light.camera[1] - y, light.camera[2] - z)
            hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
            tl = tx * lx + ty * ly + tz * lz
            th = tx * hx + ty * hy + tz * hz
            facing = np.float32(0.35) + np.float32(0.65) * (nx * lx + ny * ly + nz * lz)
            facing = max(ZERO, facing) * seen
            diffuse = math.sqrt(max(ZERO, ONE - tl * tl)) * facing * PI_INVERSE * np.float32(0.9)
            sh = _seventh(max(ZERO, ONE - th * th))
            shine = (sh * sh * sh * sh * np.float32(0.022) + sh * np.float32(0.010)) * gloss * facing
            for c in range(3):
                level = sky[1, c] * ny + sky[2, c] * nz + sky[3, c] * nx
                level = sky[0, c] * np.float32(0.282095) + level * np.float32(0.325735)
                level = max(level, np.float32(0.02)) * np.float32(0.75)
                tone = colour[s, j, c]
                tinted = np.float32(0.5) + np.float32(0.5) * min(ONE, tone * np.float32(4))
                out[s, j, c] = tone * (level + diffuse * light.colour[c]) + shine * tinted * light.colour[c]

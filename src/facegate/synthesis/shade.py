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


class Lighting(NamedTuple):
    """Light as the kernels want it.

    Attributes:
        towards, colour: (3,) key light.
        fill_towards, fill_colour: (3,) light without shadow.
        camera: (3,) position.
        near: (n, n) depth of the surfaces seen from the key light.
        hair_near, hair_count: (n, n) depth and number of hair points seen from there.
        softness: blur of the shadow, texels.
    """

    towards: Array
    colour: Array
    fill_towards: Array
    fill_colour: Array
    camera: Array
    near: Array
    hair_near: Array
    hair_count: Array
    softness: np.float32


class Surface(NamedTuple):
    """What covers the head's mesh.

    Attributes:
        texture: (rows, columns, 7) colour, gloss, relief.
        head: (3, 3) rotation of the head, for the relief.
        eyes: (2, 3) centres of the eyeballs, right then left.
        gaze: (2, 3) unit vectors.
        iris: (9,) see ``Identity.iris``.
        skin: (4,) relief strength, gloss strength, roughness, scattering.
        cloth: (14,) see ``wear.Clothing.parameters``.
        holes: (8,) eye holes of a mask: |x|, y, radius x, radius y (0 for none), wearer's skin, rim.
    """

    texture: Array
    head: Array
    eyes: Array
    gaze: Array
    iris: Array
    skin: Array
    cloth: Array
    holes: Array


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _chance(a, b):
    h = (a * 374761393 + b * 668265263) & 0x7FFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0x7FFFFFFF
    return np.float32(((h ^ (h >> 16)) & 0xFFFF) / 65535.0)


@njit(nogil=True, cache=True, fastmath=True)
def _visible(light, sx, sy, sz, bias, spin):
    """Share of the key light that reaches a place: surfaces block it, hair dims it."""
    size = light.near.shape[0]
    seen = np.float32(0)
    for j in range(5):
        angle = spin + np.float32(2.39996) * j
        radius = light.softness * math.sqrt((j + np.float32(0.5)) * np.float32(0.2))
        x, y = int(sx + radius * math.cos(angle)), int(sy + radius * math.sin(angle))
        if x < 0 or y < 0 or x >= size or y >= size:
            seen += 1
        elif sz < light.near[y, x] + bias:
            behind = sz - light.hair_near[y, x] - np.float32(0.003)
            if behind > 0:
                seen += math.exp(
                    -np.float32(0.45) * light.hair_count[y, x] * min(np.float32(1), behind * np.float32(90))
                )
            else:
                seen += 1
    return seen * np.float32(0.2)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _ggx(nh, nv, nl, vh, roughness, f0):
    a = roughness * roughness
    d = nh * nh * (a * a - 1) + 1
    k = a * np.float32(0.5)
    g = ((nl * (1 - k) + k) * (nv * (1 - k) + k)) * 4 + np.float32(1e-6)
    f = f0 + (1 - f0) * (1 - vh) ** 5
    return a * a / (np.float32(math.pi) * d * d + np.float32(1e-9)) / g * f


@njit(nogil=True, cache=True, fastmath=True)
def shade_surfaces(ids, screen, triangles, kind, vertex, paint, light, surface, picture):
    """Colour every pixel that shows a surface.

    Args:
        ids: (H, W) triangle per pixel, -1 where none.
        screen: (V, 3) pixels and depth.
        triangles: (T, 3) vertices.
        kind: (T,) 0 skin, 1 eye, 2 teeth, 3 tongue, 5 plain colour.
        vertex: (V, 18) position, normal, texture coordinates, place on the average head, ambient light,
            openness, shadow map position.
        paint: (V, 3) colour of what is not textured.
        light: :class:`Lighting`.
        surface: :class:`Surface`.
        picture: (H, W, 3) to write into.
    """
    height, width = ids.shape
    at = np.empty(18, np.float32)
    for y in range(height):
        for x in range(width):
            t = ids[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            x0, y0, x1, y1, x2, y2 = (
                screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1],
            )  # fmt: skip
            px, py = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            inverse = np.float32(1) / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
            w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
            w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
            w2 = (np.float32(1) - w0 - w1) / screen[c, 2]
            w0 /= screen[a, 2]
            w1 /= screen[b, 2]
            scale = np.float32(1) / (w0 + w1 + w2)
            w0 *= scale
            w1 *= scale
            w2 *= scale
            for k in range(18):
                at[k] = w0 * vertex[a, k] + w1 * vertex[b, k] + w2 * vertex[c, k]
            spin = _chance(x, y) * np.float32(6.2832)
            seen = _visible(light, at[15], at[16], at[17], np.float32(0.005), spin)
            if kind[t] == 0:
                r, g, bl = _skin(at, seen, light, surface, x, y)
            elif kind[t] == 1:
                r, g, bl = _eye(at, seen, light, surface)
            else:
                r, g, bl = _plain(at, seen, light, paint[a, 0], paint[a, 1], paint[a, 2], kind[t])
            picture[y, x, 0] = r
            picture[y, x, 1] = g
            picture[y, x, 2] = bl


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _unit(x, y, z):
    inverse = np.float32(1) / math.sqrt(x * x + y * y + z * z + np.float32(1e-12))
    return x * inverse, y * inverse, z * inverse


@njit(nogil=True, cache=True, fastmath=True)
def _texel(texture, u, v, out):
    rows, columns, channels = texture.shape
    fu = min(max(u * columns - np.float32(0.5), np.float32(0)), np.float32(columns - 1.001))
    fv = min(max(v * rows - np.float32(0.5), np.float32(0)), np.float32(rows - 1.001))
    i, j = int(fu), int(fv)
    du, dv = fu - i, fv - j
    for k in range(channels):
        top = texture[j, i, k] + du * (texture[j, i + 1, k] - texture[j, i, k])
        low = texture[j + 1, i, k] + du * (texture[j + 1, i + 1, k] - texture[j + 1, i, k])
        out[k] = top + dv * (low - top)


@njit(nogil=True, cache=True, fastmath=True)
def _skin(at, seen, light, surface, px, py):
    nx, ny, nz = _unit(at[3], at[4], at[5])
    vx, vy, vz = _unit(light.camera[0] - at[0], light.camera[1] - at[1], light.camera[2] - at[2])
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    cloth = surface.cloth
    x, y, z = at[8], at[9], at[10]
    neck = cloth[0] - cloth[1] * math.exp(-((x / cloth[2]) ** 2)) * (1.0 if z > -0.12 else 0.15)
    if y < neck:
        return _cloth(at, seen, light, cloth, nx * lx + ny * ly + nz * lz, neck - y, px, py)
    texel = np.empty(7, np.float32)
    _texel(surface.texture, at[6], at[7], texel)
    r, g, b, gloss = texel[0], texel[1], texel[2], texel[3] * surface.skin[1]
    openness = at[14]
    relief = surface.skin[0]
    head = surface.head
    bx, by, bz = _unit(
        nx + relief * (head[0, 0] * texel[4] + head[0, 1] * texel[5] + head[0, 2] * texel[6]),
        ny + relief * (head[1, 0] * texel[4] + head[1, 1] * texel[5] + head[1, 2] * texel[6]),
        nz + relief * (head[2, 0] * texel[4] + head[2, 1] * texel[5] + head[2, 2] * texel[6]),
    )
    e0, e1, e2 = at[11], at[12], at[13]
    if at[7] > 0.985:  # inside of the mouth
        r, g, b, gloss = np.float32(0.20), np.float32(0.055), np.float32(0.05), np.float32(0.2)
        openness *= openness
        e0 *= np.float32(0.35)
        e1 *= np.float32(0.3)
        e2 *= np.float32(0.3)
        seen *= np.float32(0.35)
    holes = surface.holes
    scatter, roughness = surface.skin[3], surface.skin[2]
    if holes[2] > 0 and z > -0.05:
        q = ((abs(x) - holes[0]) / holes[2]) ** 2 + ((y - holes[1]) / holes[3]) ** 2
        if q < 1:  # the wearer's skin, in the depth of the hole
            deep = np.float32(0.4) + np.float32(0.5) * min(np.float32(1), (1 - q) * 2)
            r, g, b = holes[4] * deep, holes[5] * deep, holes[6] * deep
            gloss, roughness, scatter = np.float32(0.5), np.float32(0.5), np.float32(1)
        elif q < 1.35:  # its cut edge
            r, g, b = r * holes[7], g * holes[7], b * holes[7]
    nl = nx * lx + ny * ly + nz * lz
    bl = bx * lx + by * ly + bz * lz
    soft = (np.float32(0.6) * nl + np.float32(0.4) * bl) * scatter + bl * (1 - scatter)
    wr, wg, wb = np.float32(0.28) * scatter, np.float32(0.11) * scatter, np.float32(0.06) * scatter
    d0 = max(np.float32(0), (soft + wr) / (1 + wr)) * seen ** (1 - np.float32(0.4) * scatter) * PI_INVERSE
    d1 = max(np.float32(0), (bl + wg) / (1 + wg)) * seen * PI_INVERSE
    d2 = max(np.float32(0), (bl + wb) / (1 + wb)) * seen * PI_INVERSE
    fill = bx * light.fill_towards[0] + by * light.fill_towards[1] + bz * light.fill_towards[2]
    fill = max(np.float32(0), fill) * openness * PI_INVERSE
    flat = max(nx * vx + ny * vy + nz * vz, np.float32(0.25))
    tilt = np.float32(0.75) + np.float32(0.25) * (bx * vx + by * vy + bz * vz) / flat
    tilt = min(max(tilt, np.float32(0.6)), np.float32(1.3))
    out0 = r * (e0 * tilt + d0 * light.colour[0] + fill * light.fill_colour[0])
    out1 = g * (e1 * tilt + d1 * light.colour[1] + fill * light.fill_colour[1])
    out2 = b * (e2 * tilt + d2 * light.colour[2] + fill * light.fill_colour[2])
    nv = max(np.float32(0.02), bx * vx + by * vy + bz * vz)
    hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
    if bl > 0:
        nh, vh = (
            max(np.float32(0), bx * hx + by * hy + bz * hz),
            max(np.float32(0), vx * hx + vy * hy + vz * hz),
        )
        shine = np.float32(0.75) * _ggx(nh, nv, bl, vh, roughness, np.float32(0.028))
        shine += np.float32(0.25) * _ggx(nh, nv, bl, vh, roughness * np.float32(0.6), np.float32(0.028))
        shine *= bl * seen * gloss
        out0 += shine * light.colour[0]
        out1 += shine * light.colour[1]
        out2 += shine * light.colour[2]
    rim = (
        (np.float32(0.028) + np.float32(0.45) * (1 - nv) ** 5) * gloss * openness * openness * np.float32(0.6)
    )
    return out0 + rim * e0, out1 + rim * e1, out2 + rim * e2


@njit(nogil=True, cache=True, fastmath=True)
def _cloth(at, seen, light, cloth, nl, below, px, py):
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
    lit = max(np.float32(0), nl) * seen * PI_INVERSE
    return (
        np.float32(cloth[3] + (cloth[6] - cloth[3]) * pattern) * shade * (at[11] + lit * light.colour[0]),
        np.float32(cloth[4] + (cloth[7] - cloth[4]) * pattern) * shade * (at[12] + lit * light.colour[1]),
        np.float32(cloth[5] + (cloth[8] - cloth[5]) * pattern) * shade * (at[13] + lit * light.colour[2]),
    )


@njit(nogil=True, cache=True, fastmath=True)
def _eye(at, seen, light, surface):
    eyes, iris = surface.eyes, surface.iris
    e = (
        0
        if abs(at[0] - eyes[0, 0]) + abs(at[1] - eyes[0, 1])
        < abs(at[0] - eyes[1, 0]) + abs(at[1] - eyes[1, 1])
        else 1
    )
    nx, ny, nz = _unit(at[0] - eyes[e, 0], at[1] - eyes[e, 1], at[2] - eyes[e, 2])
    gx, gy, gz = surface.gaze[e, 0], surface.gaze[e, 1], surface.gaze[e, 2]
    along = nx * gx + ny * gy + nz * gz
    tx, ty, tz = nx - along * gx, ny - along * gy, nz - along * gz
    away = math.sqrt(max(np.float32(0), 1 - along * along))
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
    lit = (
        max(np.float32(0), (nx * lx + ny * ly + nz * lz + np.float32(0.2)) / np.float32(1.2))
        * seen
        * PI_INVERSE
    )
    open_ = np.float32(0.45) + np.float32(0.55) * at[14]
    fill = nx * light.fill_towards[0] + ny * light.fill_towards[1] + nz * light.fill_towards[2]
    fill = max(np.float32(0), fill) * at[14] * PI_INVERSE
    out0 = r * (at[11] * open_ + lit * light.colour[0] + fill * light.fill_colour[0])
    out1 = g * (at[12] * open_ + lit * light.colour[1] + fill * light.fill_colour[1])
    out2 = b * (at[13] * open_ + lit * light.colour[2] + fill * light.fill_colour[2])
    if along > 0 and away < iris[0] * np.float32(1.15):  # the cornea bulges
        nx, ny, nz = _unit(nx + np.float32(0.8) * tx, ny + np.float32(0.8) * ty, nz + np.float32(0.8) * tz)
    vx, vy, vz = _unit(light.camera[0] - at[0], light.camera[1] - at[1], light.camera[2] - at[2])
    hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
    glint = max(np.float32(0), nx * hx + ny * hy + nz * hz) ** 220 * np.float32(1.6) * seen
    hx, hy, hz = _unit(vx + light.fill_towards[0], vy + light.fill_towards[1], vz + light.fill_towards[2])
    spark = max(np.float32(0), nx * hx + ny * hy + nz * hz) ** 140 * np.float32(1.0) * at[14]
    up = 2 * (nx * vx + ny * vy + nz * vz) * ny - vy
    mirror = np.float32(0.03) * at[14] * (np.float32(0.6) + np.float32(1.6) * max(np.float32(0), up))
    return (
        out0 + glint * light.colour[0] + spark * light.fill_colour[0] + mirror * at[11],
        out1 + glint * light.colour[1] + spark * light.fill_colour[1] + mirror * at[12],
        out2 + glint * light.colour[2] + spark * light.fill_colour[2] + mirror * at[13],
    )


@njit(nogil=True, cache=True, fastmath=True)
def _plain(at, seen, light, r, g, b, kind):
    nx, ny, nz = _unit(at[3], at[4], at[5])
    lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
    lit = max(np.float32(0), nx * lx + ny * ly + nz * lz) * seen * PI_INVERSE
    fill = nx * light.fill_towards[0] + ny * light.fill_towards[1] + nz * light.fill_towards[2]
    fill = max(np.float32(0), fill) * at[14] * PI_INVERSE
    shade = np.float32(0.45) * at[14] if kind < 5 else np.float32(1)
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
def shade_strands(points, colour, shadow, middle, coefficients, light, gloss, out):
    """Colour the points of strands.

    Args:
        points: (S, J, 3) in the camera's frame.
        colour: (S, J, 3) reflectance.
        shadow: (S * J, 3) positions on the shadow map.
        middle: (3,) of the skull: ambient light comes from away of it.
        coefficients: (9, 3) of the ambient light in the camera's frame.
        light: :class:`Lighting`.
        gloss: strength of the highlight.
        out: (S, J, 3) linear colour.
    """
    last = points.shape[1] - 1
    for s in range(points.shape[0]):
        for j in range(last + 1):
            p, q = max(j - 1, 0), min(j + 1, last)
            tx, ty, tz = _unit(
                points[s, q, 0] - points[s, p, 0],
                points[s, q, 1] - points[s, p, 1],
                points[s, q, 2] - points[s, p, 2],
            )
            x, y, z = points[s, j, 0], points[s, j, 1], points[s, j, 2]
            nx, ny, nz = _unit(x - middle[0], y - middle[1], z - middle[2])
            k = s * (last + 1) + j
            seen = _visible(light, shadow[k, 0], shadow[k, 1], shadow[k, 2], np.float32(0.006), np.float32(s))
            vx, vy, vz = _unit(light.camera[0] - x, light.camera[1] - y, light.camera[2] - z)
            lx, ly, lz = light.towards[0], light.towards[1], light.towards[2]
            hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
            tl = tx * lx + ty * ly + tz * lz
            th = tx * hx + ty * hy + tz * hz
            facing = max(np.float32(0), np.float32(0.35) + np.float32(0.65) * (nx * lx + ny * ly + nz * lz))
            diffuse = (
                math.sqrt(max(np.float32(0), 1 - tl * tl)) * facing * seen * PI_INVERSE * np.float32(0.9)
            )
            sh = max(np.float32(0), 1 - th * th)
            shine = (sh**28 * np.float32(0.022) + sh**7 * np.float32(0.010)) * seen * gloss * facing
            for c in range(3):
                sky = coefficients[0, c] * np.float32(0.282095) + np.float32(0.6667) * np.float32(
                    0.488603
                ) * (coefficients[1, c] * ny + coefficients[2, c] * nz + coefficients[3, c] * nx)
                sky = max(sky, np.float32(0.02)) * np.float32(0.75)
                tone = colour[s, j, c]
                out[s, j, c] = (
                    tone * (sky + diffuse * light.colour[c])
                    + shine * (np.float32(0.5) + np.float32(0.5) * min(np.float32(1), tone * 4)) * light.colour[c]
                )  # fmt: skip

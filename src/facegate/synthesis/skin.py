"""The skin of one person: a texture of reflectance, gloss and fine relief that stays with them for life.

Pigment is painted as densities of melanin and haemoglobin over the average head, then turned into colour, so
that a freckle, a flush or the dark of an eyelid looks right on light and on dark skin alike.
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit

from facegate.synthesis.assets import FINENESS, TEXTURE_SHAPE, HeadAssets
from facegate.synthesis.canonical import Canonical, canonical
from facegate.synthesis.colours import pigment, skin_colour
from facegate.synthesis.geometry import Array, smoothstep

COARSEN = 4
"""Texels a cell of noise needs at a quarter of the resolution, to be drawn there and enlarged."""


@dataclass(frozen=True, eq=False)
class Skin:
    """Skin without hair or make-up.

    Attributes:
        texture: (rows, columns, 7) linear reflectance (3), specular strength about 1, and what to add to the
            unit normal (3) in head coordinates.
        cheek: (3,) reflectance of the cheek.
    """

    texture: Array
    cheek: Array

    @property
    def colour(self) -> Array:
        """(rows, columns, 3) linear reflectance."""
        return self.texture[..., :3]


@dataclass(frozen=True)
class Complexion:
    """A person's pigment and wear.

    Attributes:
        melanin: density, 0.03 (very light) to 2 (very dark).
        haemoglobin: density, 0.2 to 0.7.
        age: years.
    """

    melanin: float
    haemoglobin: float
    age: float


class _Face:
    """Places on the face, as arrays over the texels that look forward."""

    def __init__(self, place: Canonical) -> None:
        self.place = place
        texel = place.texel
        where = place.covered & (texel[..., 2] > -0.06) & (texel[..., 1] > place.chin_y - 0.02)
        self.where = np.flatnonzero(where)
        at = texel[where]
        self.x, self.side, self.y, self.z = np.ascontiguousarray(
            np.stack([np.abs(at[:, 0]), at[:, 0], at[:, 1], at[:, 2]])
        )
        self.front = smoothstep(-0.045, -0.015, self.z)

    def blob(self, x: float, y: float, rx: float, ry: float) -> Array:
        """A soft spot on both sides of the face."""
        out = np.empty_like(self.x)
        _blob(self.x, self.y, self.front, np.array([x, y, 1 / rx, 1 / ry], np.float32), out)
        return out

    def of(self, field: Array) -> Array:
        """The face's texels of a whole (rows, columns) field."""
        return field.reshape(-1)[self.where]

    def add(self, field: Array, change: Array) -> None:
        """Change the face's texels of a whole field, in place."""
        field.reshape(-1)[self.where] += change


@functools.lru_cache(maxsize=2)
def _face(place: Canonical) -> _Face:
    return _Face(place)


@njit(nogil=True, cache=True, fastmath=True)
def _blob(x, y, front, spot, out):
    for n in range(x.shape[0]):
        u, v = (x[n] - spot[0]) * spot[2], (y[n] - spot[1]) * spot[3]
        square = u * u + v * v
        out[n] = math.exp(-square) * front[n] if square < np.float32(14) else np.float32(0)


def noise(rng: np.random.Generator, cells: float, octaves: int = 1) -> Array:
    """Smooth noise over a skin texture, about unit variance.

    Args:
        rng: source of chance.
        cells: cells across the texture's width, of the coarsest octave.
        octaves: each doubles the cells and halves the strength.
    """
    rows, columns = TEXTURE_SHAPE
    finest = cells * 2 ** (octaves - 1)
    if COARSEN * finest <= columns / 4:
        rows, columns = rows // 4, columns // 4
    out = np.zeros((rows, columns), np.float32)
    for octave in range(octaves):
        wide = max(2, int(cells * 2**octave))
        grid = rng.standard_normal((max(2, wide * rows // columns), wide), dtype=np.float32)
        out += 0.5**octave * cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if out.shape != TEXTURE_SHAPE:
        out = cv2.resize(out, TEXTURE_SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(out, np.float32)


def paint_skin(assets: HeadAssets, complexion: Complexion, rng: np.random.Generator) -> Skin:
    """Paint the skin of one person (some 50 ms)."""
    place = canonical(assets)
    face = _face(place)
    coarse, fine, grain = noise(rng, 7, 3), noise(rng, 40, 2), noise(rng, 150)
    melanin = (complexion.melanin * 0.06 + 0.008) * coarse + complexion.melanin
    melanin += (complexion.melanin * 0.03) * fine + (complexion.melanin * 0.02) * grain
    blood = complexion.haemoglobin * (1 + 0.08 * noise(rng, 5, 3) + 0.05 * fine) + 0.10 * place.masks[3]
    _flush(face, complexion, blood, melanin, rng)
    _marks(face, complexion, blood, melanin, rng)
    texture = np.empty((*TEXTURE_SHAPE, 7), np.float32)
    melanin, blood = np.maximum(melanin, 0), np.maximum(blood, 0)
    for channel in range(3):
        texture[..., channel] = pigment(melanin, blood, channel)
    lips = cv2.GaussianBlur(place.masks[1], (0, 0), 1.3 * FINENESS)
    _paint_lips(face, complexion, texture, lips, rng)
    height = _height(face, complexion, lips, fine, grain, rng)
    _tilt(height, place.covered, place.tangent_u, place.tangent_v, texture)
    gloss = (0.8 + 0.10 * fine + 0.35 * lips) * rng.uniform(0.6, 1.25)
    face.add(
        gloss,
        0.45 * face.blob(0, 0.045, 0.045, 0.025) + 0.4 * face.blob(0, place.nose_y, 0.012, 0.03),
    )
    texture[..., 3] = np.clip(gloss, 0.1, 2.5)
    cheek = face.blob(0.045, -0.04, 0.015, 0.012)
    seen = np.flatnonzero(cheek)
    tone = cheek[seen] @ texture.reshape(-1, 7)[face.where[seen], :3] / (cheek.sum() + 1e-6)
    return Skin(texture=texture, cheek=tone.astype(np.float32))


def _flush(
    face: _Face, complexion: Complexion, blood: Array, melanin: Array, rng: np.random.Generator
) -> None:
    """Cheeks, nose and eyelids: where blood and pigment gather."""
    place, m = face.place, complexion.melanin
    red = rng.uniform(0.03, 0.30) * face.blob(0.045, -0.034, 0.024, 0.020)
    red += rng.uniform(0.03, 0.22) * face.blob(0, place.nose_y + 0.003, 0.016, 0.014)
    red += rng.uniform(0.0, 0.10) * face.blob(0, place.chin_y + 0.02, 0.02, 0.015)
    under = face.blob(place.eye, -0.014, 0.017, 0.007)
    dark = rng.uniform(0.02, 0.22) * (1.6 if complexion.age > 50 else 1.0)
    lid = face.blob(place.eye, 0.007, 0.019, 0.008)
    face.add(blood, red + 1.1 * dark * under + rng.uniform(0.04, 0.2) * lid)
    brow = 0.06 * m * face.blob(0, 0.05, 0.05, 0.03)
    face.add(melanin, (0.4 * dark * under + rng.uniform(0.0, 0.14) * lid) * (0.4 + m) - brow)


def _marks(
    face: _Face, complexion: Complexion, blood: Array, melanin: Array, rng: np.random.Generator
) -> None:
    """Freckles, age spots, moles and blemishes."""
    light = complexion.melanin < 0.5
    if rng.random() < (0.32 if light else 0.05):
        spots = smoothstep(1.1, 1.9, face.of(noise(rng, 95)))
        spread = face.blob(0.03, -0.03, 0.035, 0.022) + 0.35 * face.front
        face.add(melanin, spots * spread * rng.uniform(0.2, 0.6))
    if complexion.age > 45:
        face.add(melanin, smoothstep(1.9, 2.4, face.of(noise(rng, 40))) * 0.25 * rng.random())
    face.add(blood, smoothstep(2.0, 2.6, face.of(noise(rng, 50))) * rng.uniform(0, 0.35))
    for _ in range(rng.poisson(1.8)):
        x, y = rng.uniform(-0.055, 0.055), rng.uniform(face.place.chin_y + 0.01, 0.06)
        r = rng.uniform(0.0006, 0.0015)
        near = np.flatnonzero((np.abs(face.side - x) < 1.5 * r) & (np.abs(face.y - y) < 1.5 * r))
        spot = smoothstep(1.4 * r, 0.6 * r, np.hypot(face.side[near] - x, face.y[near] - y))
        melanin.reshape(-1)[face.where[near]] += spot * face.front[near] * rng.uniform(0.5, 1.4)


def _paint_lips(
    face: _Face, complexion: Complexion, texture: Array, lips: Array, rng: np.random.Generator
) -> None:
    flat, mouth_y = texture.reshape(-1, 7), face.place.mouth_y
    tint = skin_colour(
        complexion.melanin * rng.uniform(0.75, 1.0) + 0.06, complexion.haemoglobin + rng.uniform(0.25, 0.8)
    )
    texels = np.flatnonzero(lips)
    edge = np.minimum(lips.reshape(-1)[texels, None] * 1.15, 1) * rng.uniform(0.75, 1.0)
    grain = 1 + 0.08 * noise(rng, 80).reshape(-1)[texels, None]
    flat[texels, :3] = flat[texels, :3] * (1 - edge) + edge * tint * grain
    near = np.flatnonzero((face.x < 0.026) & (np.abs(face.y - mouth_y) < 0.007))
    seam = np.exp(-(((face.y[near] - mouth_y) / 0.0017) ** 2)) * smoothstep(0.3, 0.9, face.of(lips)[near])
    flat[face.where[near], :3] *= 1 - 0.35 * seam[:, None]
    np.clip(texture[..., :3], 0.004, 0.95, out=texture[..., :3])


def _height(
    face: _Face,
    complexion: Complexion,
    lips: Array,
    fine: Array,
    grain: Array,
    rng: np.random.Generator,
) -> Array:
    """Pores, creases and wrinkles, as a change of the normal."""
    place, old = face.place, float(np.clip((complexion.age - 26) / 42, 0, 1))
    height = (0.035 * grain + 0.03 * fine) * rng.uniform(0.5, 1.3)
    wave = face.of(noise(rng, 6, 2))
    x, y = face.x, face.y
    furrow = np.sin((y + 0.003 * wave) * 880 + 1.5 * np.sin(face.side * 50 + rng.uniform(0, 6)))
    crease = old * rng.uniform(0.2, 1.1) * np.clip(furrow, 0, 1) * face.blob(0, 0.052, 0.045, 0.016)
    angle = np.arctan2(y, x - place.eye - 0.012)
    away = np.hypot(x - place.eye - 0.012, y)
    fan = (
        np.clip(np.sin(angle * 15 + wave), 0, 1)
        * np.exp(-(((away - 0.02) / 0.009) ** 2))
        * (np.abs(angle) < 0.9)
    )
    crease += old * rng.uniform(0.2, 1.1) * fan
    t = np.clip((place.nose_y + 0.006 - y) / 0.042, 0, 1)
    fold = (
        np.exp(-(((x - 0.019 - 0.016 * t) / 0.0026) ** 2))
        * (t > 0)
        * smoothstep(-0.016, -0.004, y - place.mouth_y)
    )
    crease += (rng.uniform(0.0, 0.35) + old * rng.uniform(0.4, 1.5)) * fold * face.front
    bag = np.exp(-(((y + 0.017 - 0.10 * np.abs(x - place.eye)) / 0.0017) ** 2)) * face.blob(
        place.eye, -0.017, 0.014, 1
    )
    crease += (0.08 + old * rng.uniform(0.1, 1.0)) * bag
    frown = np.exp(-(((x - 0.007) / 0.0018) ** 2)) * face.blob(0.007, 0.022, 0.02, 0.010)
    crease += old * rng.uniform(0, 1.1) * frown
    face.add(height, -crease)
    texels = np.flatnonzero(lips)
    across = place.texel[..., 0].reshape(-1)[texels] * 2100 + 2 * fine.reshape(-1)[texels]
    height.reshape(-1)[texels] += 0.06 * lips.reshape(-1)[texels] * np.sin(across)
    return np.asarray(cv2.GaussianBlur(height, (0, 0), 0.6 * FINENESS), np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _tilt(height, covered, tangent_u, tangent_v, texture):
    """What relief of (rows, columns) `height` adds to the normal, into channels 4 to 6 of `texture`."""
    rows, columns = height.shape
    half, most = np.float32(-0.0005), np.float32(0.8)
    for j in range(rows):
        up, down = max(j - 1, 0), min(j + 1, rows - 1)
        for i in range(columns):
            left, right = max(i - 1, 0), min(i + 1, columns - 1)
            du, dv = half * (height[j, right] - height[j, left]), half * (height[down, i] - height[up, i])
            for k in range(3):
                tilt = du * tangent_u[j, i, k] + dv * tangent_v[j, i, k]
                texture[j, i, 4 + k] = min(max(tilt, -most), most) if covered[j, i] else np.float32(0)

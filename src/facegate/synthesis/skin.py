"""The skin of one person: a texture of reflectance, gloss and fine relief that stays with them for life.

Pigment is painted as densities of melanin and haemoglobin over the average head, then turned into colour, so
that a freckle, a flush or the dark of an eyelid looks right on light and on dark skin alike.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from facegate.synthesis.assets import TEXTURE_SHAPE, HeadAssets
from facegate.synthesis.canonical import Canonical, canonical
from facegate.synthesis.colours import skin_colour
from facegate.synthesis.geometry import Array, smoothstep


@dataclass(frozen=True, eq=False)
class Skin:
    """Skin without hair or make-up.

    Attributes:
        colour: (rows, columns, 3) linear reflectance.
        gloss: (rows, columns) specular strength, about 1.
        relief: (rows, columns, 3) what to add to the unit normal, in head coordinates.
        cheek: (3,) reflectance of the cheek.
    """

    colour: Array
    gloss: Array
    relief: Array
    cheek: Array


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
        self.where = place.covered & (texel[..., 2] > -0.06) & (texel[..., 1] > place.chin_y - 0.02)
        at = texel[self.where]
        self.x, self.side, self.y, self.z = np.abs(at[:, 0]), at[:, 0], at[:, 1], at[:, 2]
        self.front = smoothstep(-0.045, -0.015, self.z)

    def blob(self, x: float, y: float, rx: float, ry: float) -> Array:
        """A soft spot on both sides of the face."""
        return np.exp(-(((self.x - x) / rx) ** 2) - ((self.y - y) / ry) ** 2) * self.front

    def of(self, field: Array) -> Array:
        """The face's texels of a whole texture."""
        return field[self.where]


def noise(rng: np.random.Generator, cells: float, octaves: int = 1) -> Array:
    """Smooth noise over a skin texture, about unit variance.

    Args:
        rng: source of chance.
        cells: cells across the texture's width, of the coarsest octave.
        octaves: each doubles the cells and halves the strength.
    """
    rows, columns = TEXTURE_SHAPE
    out = np.zeros(TEXTURE_SHAPE, np.float32)
    for octave in range(octaves):
        wide = max(2, int(cells * 2**octave))
        grid = rng.standard_normal((max(2, wide * rows // columns), wide), dtype=np.float32)
        out += 0.5**octave * cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return out


def paint_skin(assets: HeadAssets, complexion: Complexion, rng: np.random.Generator) -> Skin:
    """Paint the skin of one person (about 40 ms)."""
    place = canonical(assets)
    face = _Face(place)
    coarse, fine, grain = noise(rng, 7, 3), noise(rng, 40, 2), noise(rng, 150)
    melanin = complexion.melanin * (1 + 0.06 * coarse + 0.03 * fine + 0.02 * grain) + 0.008 * coarse
    blood = complexion.haemoglobin * (1 + 0.08 * noise(rng, 5, 3) + 0.05 * fine) + 0.10 * assets.masks[3]
    _flush(face, complexion, blood, melanin, rng)
    _marks(face, complexion, blood, melanin, rng)
    colour = skin_colour(np.clip(melanin, 0, None), np.clip(blood, 0, None))
    lips = cv2.GaussianBlur(assets.masks[1], (0, 0), 1.3)
    _paint_lips(face, complexion, colour, lips, rng)
    relief = _relief(face, complexion, lips, fine, grain, rng)
    gloss = (0.8 + 0.10 * fine + 0.35 * lips) * rng.uniform(0.6, 1.25)
    gloss[face.where] += 0.45 * face.blob(0, 0.045, 0.045, 0.025) + 0.4 * face.blob(
        0, place.nose_y, 0.012, 0.03
    )
    cheek = face.blob(0.045, -0.04, 0.015, 0.012)
    tone = (face.of(colour) * cheek[:, None]).sum(0) / (cheek.sum() + 1e-6)
    return Skin(
        colour=np.clip(colour, 0.004, 0.95).astype(np.float32),
        gloss=np.clip(gloss, 0.1, 2.5).astype(np.float32),
        relief=relief,
        cheek=tone.astype(np.float32),
    )


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
    blood[face.where] += red + 1.1 * dark * under + rng.uniform(0.04, 0.2) * lid
    melanin[face.where] += (0.4 * dark * under + rng.uniform(0.0, 0.14) * lid) * (0.4 + m)
    melanin[face.where] -= 0.06 * m * face.blob(0, 0.05, 0.05, 0.03)


def _marks(
    face: _Face, complexion: Complexion, blood: Array, melanin: Array, rng: np.random.Generator
) -> None:
    """Freckles, age spots, moles and blemishes."""
    light = complexion.melanin < 0.5
    if rng.random() < (0.32 if light else 0.05):
        spots = smoothstep(1.1, 1.9, face.of(noise(rng, 95)))
        spread = face.blob(0.03, -0.03, 0.035, 0.022) + 0.35 * face.front
        melanin[face.where] += spots * spread * rng.uniform(0.2, 0.6)
    if complexion.age > 45:
        melanin[face.where] += smoothstep(1.9, 2.4, face.of(noise(rng, 40))) * 0.25 * rng.random()
    blood[face.where] += smoothstep(2.0, 2.6, face.of(noise(rng, 50))) * rng.uniform(0, 0.35)
    for _ in range(rng.poisson(1.8)):
        x, y = rng.uniform(-0.055, 0.055), rng.uniform(face.place.chin_y + 0.01, 0.06)
        r = rng.uniform(0.0006, 0.0015)
        away = np.hypot(face.side - x, face.y - y)
        melanin[face.where] += smoothstep(1.4 * r, 0.6 * r, away) * face.front * rng.uniform(0.5, 1.4)


def _paint_lips(
    face: _Face, complexion: Complexion, colour: Array, lips: Array, rng: np.random.Generator
) -> None:
    place = face.place
    tint = skin_colour(
        complexion.melanin * rng.uniform(0.75, 1.0) + 0.06, complexion.haemoglobin + rng.uniform(0.25, 0.8)
    )
    edge = np.clip(lips * 1.15, 0, 1)[..., None] * rng.uniform(0.75, 1.0)
    colour *= 1 - edge
    colour += edge * tint * (1 + 0.08 * noise(rng, 80)[..., None])
    seam = (
        np.exp(-(((face.y - place.mouth_y) / 0.0017) ** 2))
        * (face.x < 0.026)
        * smoothstep(0.3, 0.9, face.of(lips))
    )
    colour[face.where] *= 1 - 0.35 * seam[:, None]


def _relief(
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
    height[face.where] -= crease
    height += 0.06 * lips * np.sin(place.texel[..., 0] * 2100 + 2 * fine)
    height = cv2.GaussianBlur(height, (0, 0), 0.6)
    up, across = np.gradient(height)
    relief = -(across[..., None] * place.tangent_u + up[..., None] * place.tangent_v) * np.float32(0.001)
    return np.clip(np.where(place.covered[..., None], relief, 0), -0.8, 0.8).astype(np.float32)

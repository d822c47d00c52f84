"""A printed photograph: the printer's gamut, its dots, the sheet's fibres, gloss and shading."""

import functools
from dataclasses import dataclass
from typing import Literal, cast

import cv2
import numpy as np
from numba import njit

from facegate.recapture.geometry import Rays
from facegate.recapture.halftone import Halftone, Screen, apply_halftone
from facegate.recapture.imaging import LUMA, Floats, blur, spread, tint
from facegate.recapture.room import Light

Printer = Literal["laser", "inkjet", "photo"]

_SCREENS: dict[Printer, tuple[Screen, ...]] = {
    "laser": ("clustered", "line"),
    "inkjet": ("stochastic", "ordered"),
    "photo": ("contone", "stochastic"),
}


@dataclass(frozen=True)
class Print:
    """A print and its sheet.

    Attributes:
        printer: kind of printer.
        halftone: how it makes tones.
        ink: reflectance of full ink, 0 to 1.
        paper: reflectance of bare paper, red, green, blue.
        gamma: tone curve on linear reflectance.
        gamut: saturation that the inks reach, 0 to 1.
        mixing: rows of the 3 × 3 matrix by which impure inks mix channels.
        banding: depth and frequency (per photo unit) of a worn head's stripes.
        fibre: contrast of the paper's texture.
        gloss: radiance of the sheen at its centre.
        sheen: slope, row (photo units) and width of the sheen.
        relief: how much the slope of a bent sheet changes its brightness.
        margin: unprinted border, photo units.
        seed: of the paper's texture.
    """

    printer: Printer
    halftone: Halftone
    ink: float
    paper: tuple[float, float, float]
    gamma: float
    gamut: float
    mixing: tuple[tuple[float, float, float], ...]
    banding: tuple[float, float]
    fibre: float
    gloss: float
    sheen: tuple[float, float, float]
    relief: float
    margin: float
    seed: int

    @property
    def variant(self) -> str:
        """Which simulation made it, to be left out in a protocol."""
        return f"{self.printer}/{self.halftone.screen}"


def sample_print(rng: np.random.Generator, face: float) -> Print:
    """Draw a print.

    Args:
        rng: source of randomness.
        face: distance from eyes to mouth on the photograph, photo units; it sets the printed size.
    """
    printer = cast(Printer, str(rng.choice(("laser", "inkjet", "photo"), p=(0.4, 0.35, 0.25))))
    screen = _SCREENS[printer][int(rng.integers(2))]
    warmth = rng.uniform(-0.02, 0.06)
    mixing = np.eye(3) + rng.normal(0, 0.035, (3, 3))
    glossy = printer == "photo" or rng.random() < 0.25
    return Print(
        printer=printer,
        halftone=_sample_halftone(rng, screen, face),
        ink=float(rng.uniform(0.008, 0.035)),
        paper=(0.9, float(0.9 - warmth / 3), float(0.9 - warmth)),
        gamma=float(rng.uniform(0.9, 1.25)),
        gamut=float(rng.uniform(0.65, 1.0)),
        mixing=tuple((float(a), float(b), float(c)) for a, b, c in mixing),
        banding=(float(rng.uniform(0.02, 0.07)) if rng.random() < 0.3 else 0.0, float(rng.uniform(20, 110))),
        fibre=float(rng.uniform(0.006, 0.035)),
        gloss=float(rng.uniform(0.1, 0.6)) if glossy else float(rng.uniform(0, 0.08)),
        sheen=(float(rng.normal(0, 0.12)), float(rng.uniform(0, 1)), float(rng.uniform(0.06, 0.22))),
        relief=float(rng.uniform(-0.9, 0.9)),
        margin=float(rng.choice((0.0, rng.uniform(0.01, 0.09)))),
        seed=int(rng.integers(1 << 31)),
    )


def _sample_halftone(rng: np.random.Generator, screen: Screen, face: float) -> Halftone:
    """Dots by real sizes: 60 to 133 cells an inch, 140 to 360 dots, eyes 9 to 30 mm from the mouth."""
    face_mm = np.exp(rng.uniform(np.log(9), np.log(30)))
    per_inch = rng.uniform(60, 133) if screen in ("clustered", "line") else rng.uniform(140, 360)
    return Halftone(
        screen=screen,
        pitch=float(per_inch / 25.4 * face_mm / face),
        strength=float(rng.uniform(0.55, 1.0)),
        sharpness=float(rng.uniform(2, 6)),
        angle=float(rng.normal(0, 0.05)),
        seed=int(rng.integers(1 << 31)),
    )


def print_radiance(photo: Floats, sheet: Print, rays: Rays, light: Light) -> Floats:
    """Light that comes from the printed photograph.

    Args:
        photo: linear RGB (h, w, 3), 0 to 1.
        sheet: the print.
        rays: where the sensor looks.
        light: the room's light.

    Returns:
        Linear RGB (H, W, 3); replicated beyond the photograph's edges.
    """
    tone = look_up(_ink_tones(photo, sheet), rays)
    tone = apply_halftone(tone, rays.u, rays.v, rays.step, sheet.halftone)
    shade = 1 + light.gradient[0] * (rays.u - 0.5) + light.gradient[1] * (rays.v - 0.5)
    shade = np.clip(shade * (1 + sheet.relief * rays.slope), 0.15, 3) * fibres(rays, sheet)
    paper, ambient, key = (np.array(c, np.float32) for c in (sheet.paper, light.ambient, light.key))
    _reflect(tone, shade, _sheen(rays, sheet), np.float32(sheet.ink), paper, ambient, key)
    return tone


@njit(nogil=True, cache=True, fastmath=True)
def _reflect(tone, shade, sheen, ink, paper, ambient, key):
    """Turn tones into the light that the sheet throws back, in place.

    Args:
        tone: (H, W, 3) printed tone, 0 ink to 1 paper.
        shade: (H, W) share of the room's light that falls on the sheet.
        sheen: (H, W) share of the lamp that its gloss mirrors.
        ink: reflectance of full ink.
        paper: (3,) reflectance of bare paper.
        ambient: (3,) colour of the room's light.
        key: (3,) colour of the lamp.
    """
    height, width = shade.shape
    for i in range(height):
        for j in range(width):
            for k in range(3):
                reflectance = ink + (paper[k] - ink) * tone[i, j, k]
                tone[i, j, k] = reflectance * shade[i, j] * ambient[k] + sheen[i, j] * key[k]


def margin_radiance(sheet: Print, rays: Rays, light: Light) -> Floats:
    """Light that comes from the bare paper around the photograph (H, W, 3)."""
    shade = np.clip(1 + sheet.relief * rays.slope, 0.15, 3) * fibres(rays, sheet)
    return tint(spread(shade), np.array(sheet.paper) * light.ambient)


def look_up(photo: Floats, rays: Rays) -> Floats:
    """The photograph under each ray (H, W, 3), bicubic, replicated beyond its edges."""
    width = photo.shape[1]
    x, y = rays.u * np.float32(width) - 0.5, rays.v * np.float32(width) - 0.5
    found = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    found = np.asarray(found, np.float32)
    return np.maximum(found, 0, out=found)


def fibres(rays: Rays, sheet: Print) -> Floats:
    """Multiplicative texture of the paper (H, W), mean 1: fine fibres on soft clouds."""
    index = (rays.v * 220).astype(np.int32) & 127
    index *= 128
    index += (rays.u * 220).astype(np.int32) & 127
    texture = _fibre_tile(sheet.seed).take(index, mode="clip")
    texture *= np.float32(sheet.fibre)
    texture += 1
    return texture


@functools.lru_cache(maxsize=8)
def _fibre_tile(seed: int) -> Floats:
    """One period of a paper's texture (128, 128), mean 0."""
    noise = np.random.default_rng(seed).standard_normal((128, 128)).astype(np.float32)
    clouds = blur(noise, 2.5)
    return np.asarray(0.6 * blur(noise, 0.7) / 0.4 + 0.6 * clouds / clouds.std(), np.float32)


def _ink_tones(photo: Floats, sheet: Print) -> Floats:
    """What the printer aims at: desaturated, curved, mixed and banded tones (h, w, 3), 0 to 1."""
    faded = sheet.gamut * np.eye(3, dtype=np.float32) + (1 - sheet.gamut) * LUMA
    tone = np.clip(cv2.transform(photo, faded), 0, 1) ** np.float32(sheet.gamma)
    tone = cv2.transform(tone, np.array(sheet.mixing, np.float32))
    depth, frequency = sheet.banding
    rows = np.arange(photo.shape[0], dtype=np.float32) / photo.shape[1]
    stripes = 1 + depth * np.sin(2 * np.pi * frequency * rows)
    return np.asarray(np.clip(tone * stripes[:, None, None], 0, 1), np.float32)


def _sheen(rays: Rays, sheet: Print) -> Floats:
    """A lamp mirrored in the gloss, where the sheet's slope fits (H, W)."""
    slope, row, width = sheet.sheen
    tilt = rays.slope + 0.35 * (rays.u - 0.5) - slope
    distance = (tilt / width) ** 2 + ((rays.v - row) / (3 * width)) ** 2
    return np.asarray(sheet.gloss * np.exp(-distance), np.float32)

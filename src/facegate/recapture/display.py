"""A photograph or video on a screen: sub-pixels at their real pitch, backlight, black level, glare, refresh.

The screen is a tile of sub-pixels repeated at the display's pitch and averaged over one sensor cell. Nothing
paints moiré: it comes about when the camera's mosaic samples what is left of the sub-pixels.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

import cv2
import numpy as np
from numba import njit

from facegate.contracts import AttackSpecies
from facegate.recapture.geometry import Rays
from facegate.recapture.imaging import Floats, spread, tint
from facegate.recapture.room import Light

Layout = Literal["rgb", "bgr", "rgb_rows", "pentile"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
"""Upright stripes, the same reversed, lying stripes, and the diamond layout of OLED phones."""

TILE_SIDE = 32
"""Samples along each side of a sub-pixel tile, a power of two; it holds 2 × 2 pixels."""


class _Kind(NamedTuple):
    pitch_mm: tuple[float, float]
    face_mm: tuple[float, float]
    layouts: tuple[float, ...]
    bezel: tuple[float, float]


_KINDS = {
    AttackSpecies.REPLAY_PHONE: _Kind((0.06, 0.11), (4, 12), (0.3, 0.1, 0.15, 0.45), (0.03, 0.3)),
    AttackSpecies.REPLAY_TABLET: _Kind((0.09, 0.17), (5, 18), (0.45, 0.1, 0.25, 0.2), (0.1, 0.5)),
    AttackSpecies.REPLAY_MONITOR: _Kind((0.2, 0.31), (10, 32), (0.65, 0.2, 0.15, 0.0), (0.08, 0.5)),
}
"""Pixel pitch, shown distance from eyes to mouth, shares of LAYOUTS, bezel in eye-mouth distances."""


@dataclass(frozen=True)
class Display:
    """A screen and how it is set.

    Attributes:
        layout: arrangement of the sub-pixels.
        pitch: pixels per photo unit.
        fill: share of a sub-pixel that shines, along each axis.
        brightness: radiance of white, relative to white paper in the room.
        white: colour of white, mean 1.
        gamma: error of the panel's tone curve; 1 is none.
        black: radiance of black as a share of white.
        haze: room light that the glass throws back, relative to white paper.
        glare: strength, centre (u, v) and half axes of a mirrored lamp or window.
        falloff: relative change of brightness across and down, from the viewing angle.
        refresh: depth, bands per picture and phase of the rolling shutter's beat with the backlight.
        bezel: width of the frame, photo units.
        bezel_tone: its reflectance.
    """

    layout: Layout
    pitch: float
    fill: float
    brightness: float
    white: tuple[float, float, float]
    gamma: float
    black: float
    haze: float
    glare: tuple[float, float, float, float, float]
    falloff: tuple[float, float]
    refresh: tuple[float, float, float]
    bezel: float
    bezel_tone: float

    @property
    def variant(self) -> str:
        """Which simulation made it, to be left out in a protocol."""
        return f"display/{self.layout}"


def sample_display(rng: np.random.Generator, species: AttackSpecies, face: float) -> Display:
    """Draw a screen of a species.

    Args:
        rng: source of randomness.
        species: one of the replay species; any other counts as a monitor.
        face: distance from eyes to mouth on the photograph, photo units; it sets the shown size.
    """
    kind = _KINDS.get(species, _KINDS[AttackSpecies.REPLAY_MONITOR])
    face_mm = np.exp(rng.uniform(*np.log(kind.face_mm)))
    warmth = rng.normal(0.0, 0.08)
    white = np.exp([warmth, 0.0, -warmth])
    red, green, blue = white / white.mean()
    glare = rng.uniform(0.05, 0.6) if rng.random() < 0.55 else 0.0
    beat = rng.uniform(0.02, 0.12) if rng.random() < 0.4 else 0.0
    return Display(
        layout=cast(Layout, str(rng.choice(LAYOUTS, p=kind.layouts))),
        pitch=float(face_mm / rng.uniform(*kind.pitch_mm) / face),
        fill=float(rng.uniform(0.68, 0.95)),
        brightness=float(np.exp(rng.uniform(np.log(0.5), np.log(2.5)))),
        white=(float(red), float(green), float(blue)),
        gamma=float(rng.uniform(0.88, 1.2)),
        black=float(10 ** rng.uniform(-3.2, -1.7)),
        haze=float(rng.uniform(0.002, 0.04)),
        glare=(float(glare), *_glare_place(rng)),
        falloff=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        refresh=(float(beat), float(rng.uniform(0.4, 4)), float(rng.uniform(0, 1))),
        bezel=float(rng.uniform(*kind.bezel) * face),
        bezel_tone=float(rng.choice((rng.uniform(0.005, 0.04), rng.uniform(0.3, 0.8)), p=(0.8, 0.2))),
    )


def _glare_place(rng: np.random.Generator) -> tuple[float, float, float, float]:
    u, v, half_u, half_v = rng.uniform((0, 0, 0.06, 0.06), (1, 1, 0.5, 0.5))
    return float(u), float(v), float(half_u), float(half_v)


def display_radiance(photo: Floats, screen: Display, rays: Rays, light: Light) -> Floats:
    """Light that comes from the screen.

    Args:
        photo: linear RGB (h, w, 3), 0 to 1.
        screen: the display.
        rays: where the sensor looks.
        light: the room's light, for haze and glare.

    Returns:
        Linear RGB (H, W, 3); replicated beyond the photograph's edges.
    """
    pitch = np.float32(screen.pitch)
    x, y = rays.u * pitch, rays.v * pitch
    shown = _pixel_values(photo ** np.float32(screen.gamma), x, y, pitch)
    tile = sub_pixel_tile(screen.layout, screen.fill, screen.pitch * rays.step)
    level = screen.brightness * np.array(screen.white, np.float32)
    haze = np.float32(screen.haze) * np.array(light.ambient, np.float32)
    _shine(shown, x, y, tile, _steadiness(screen, rays), level, np.float32(screen.black), haze)
    if screen.glare[0]:
        shown += tint(spread(_glare(screen, rays)), light.key)
    return shown


def sub_pixel_tile(layout: Layout, fill: float, footprint: float) -> Floats:
    """Two by two pixels of a display, averaged over a sensor cell.

    Args:
        layout: arrangement of the sub-pixels.
        fill: share of a sub-pixel that shines, along each axis.
        footprint: side of a sensor cell in display pixels.

    Returns:
        Emission (TILE_SIDE, TILE_SIDE, 3) with mean 1 in each channel.
    """
    tile = _pentile(fill) if layout == "pentile" else _stripes(fill)
    if layout == "bgr":
        tile = tile[..., ::-1]
    elif layout == "rgb_rows":
        tile = tile.transpose(1, 0, 2)
    frequency = np.fft.fftfreq(TILE_SIDE, 1 / TILE_SIDE) / 2  # cycles per display pixel
    pass_through = np.sinc(frequency * footprint)
    spectrum = np.fft.fft2(tile, axes=(0, 1)) * pass_through[:, None, None] * pass_through[None, :, None]
    smooth = np.maximum(np.fft.ifft2(spectrum, axes=(0, 1)).real, 0)
    return (smooth / smooth.mean(axis=(0, 1))).astype(np.float32)


def _stripes(fill: float) -> Floats:
    position = (np.arange(TILE_SIDE) + 0.5) * 2 / TILE_SIDE % 1
    third = position * 3
    lit_row = np.abs(position - 0.5) < 0.5 * fill
    lit_column = np.abs(third % 1 - 0.5) < 0.5 * fill
    channel = third.astype(int)[:, None] == np.arange(3)
    return np.asarray(lit_row[:, None, None] * (lit_column[:, None] & channel)[None], np.float32)


def _pentile(fill: float) -> Floats:
    """A green dot in every pixel; red and blue dots between them, alternating as on a chess board."""
    position = (np.arange(TILE_SIDE) + 0.5) * 2 / TILE_SIDE
    y, x = position[:, None], position[None, :]

    def dot(cx: float, cy: float, radius: float) -> Floats:
        dx, dy = np.abs((x - cx + 1) % 2 - 1), np.abs((y - cy + 1) % 2 - 1)
        return np.asarray(dx + dy < radius, np.float32)

    green = sum(dot(cx, cy, 0.3 * fill) for cx in (0.25, 1.25) for cy in (0.25, 1.25))
    red = dot(0.75, 0.75, 0.48 * fill) + dot(1.75, 1.75, 0.48 * fill)
    blue = dot(1.75, 0.75, 0.52 * fill) + dot(0.75, 1.75, 0.52 * fill)
    return np.stack([red, np.asarray(green), blue], axis=-1).astype(np.float32)


def _pixel_values(photo: Floats, x: Floats, y: Floats, pitch: np.float32) -> Floats:
    """Linear values that the pixels under the rays show: constant within a pixel."""
    scale = np.float32(photo.shape[1]) / pitch
    column = (np.floor(x) + np.float32(0.5)) * scale - np.float32(0.5)
    row = (np.floor(y) + np.float32(0.5)) * scale - np.float32(0.5)
    found = cv2.remap(photo, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _shine(shown, x, y, tile, steadiness, level, black, haze):
    """Turn the values of pixels into the light of their sub-pixels and of the glass, in place.

    Args:
        shown: (H, W, 3) linear values, 0 to 1.
        x: (H, W) position across the screen, display pixels.
        y: (H, W) position down.
        tile: what :func:`sub_pixel_tile` gave.
        steadiness: (H, W) relative brightness.
        level: (3,) radiance of white.
        black: radiance of black as a share of white.
        haze: (3,) room light that the glass throws back.
    """
    height, width = x.shape
    samples, last = np.float32(TILE_SIDE / 2), TILE_SIDE - 1
    for i in range(height):
        for j in range(width):
            row, column = math.floor(y[i, j] * samples) & last, math.floor(x[i, j] * samples) & last
            for k in range(3):
                value = black + (np.float32(1) - black) * shown[i, j, k]
                shown[i, j, k] = value * tile[row, column, k] * level[k] * steadiness[i, j] + haze[k]


def _steadiness(screen: Display, rays: Rays) -> Floats:
    depth, bands, phase = screen.refresh
    rows = np.arange(rays.v.shape[0], dtype=np.float32)[:, None] / rays.v.shape[0]
    beat = 1 + depth * np.sin(2 * np.pi * (bands * rows + phase))
    angle = 1 + screen.falloff[0] * (rays.u - 0.5) + screen.falloff[1] * (rays.v - 0.5)
    return np.asarray(np.clip(angle, 0.2, 2) * beat, np.float32)


def _glare(screen: Display, rays: Rays) -> Floats:
    strength, u, v, half_u, half_v = screen.glare
    distance = ((rays.u - u) / half_u) ** 2 + ((rays.v - v) / half_v) ** 2
    return np.asarray(strength * np.exp(-2 * distance), np.float32)

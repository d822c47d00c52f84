"""Where the medium is held: the light that falls on it, what stands behind it, whose fingers hold it."""

from dataclasses import dataclass

import cv2
import numpy as np

from facegate.recapture.geometry import Rays
from facegate.recapture.imaging import Floats, blur, mix, spread, tint


@dataclass(frozen=True)
class Light:
    """Light at the medium, relative to a radiance of 1 from white paper.

    Attributes:
        ambient: colour of the diffuse light, mean 1.
        key: colour of the lamp or window that sheen and reflections come from, mean 1.
        gradient: relative change of brightness across and down one photo unit.
    """

    ambient: tuple[float, float, float]
    key: tuple[float, float, float]
    gradient: tuple[float, float]


def sample_light(rng: np.random.Generator) -> Light:
    """Draw the light of a room."""
    return Light(
        ambient=_tint(rng, 0.1),
        key=_tint(rng, 0.18),
        gradient=(float(rng.normal(0, 0.25)), float(rng.normal(0, 0.2))),
    )


def backdrop(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A wall out of focus with a few things before it: linear RGB (height, width, 3)."""
    wall = rng.uniform(0.05, 0.7) * np.exp(rng.normal(0, 0.15, 3))
    far = wall * rng.uniform(0.4, 1.5)
    angle = rng.uniform(0, 2 * np.pi)
    y = np.linspace(-0.5, 0.5, height)[:, None] * np.sin(angle)
    x = np.linspace(-0.5, 0.5, width) * np.cos(angle)
    share = (0.5 + y + x)[..., None]
    image = (wall * share + far * (1 - share)).astype(np.float32)
    for _ in range(int(rng.integers(0, 6))):
        corner = rng.uniform(-0.2, 1.0, 2) * (width, height)
        extent = rng.uniform(0.05, 0.6, 2) * (width, height)
        colour = rng.uniform(0.02, 0.9) * np.exp(rng.normal(0, 0.35, 3))
        start, end = corner.astype(int), (corner + extent).astype(int)
        cv2.rectangle(image, start.tolist(), end.tolist(), colour.tolist(), -1)
    image = blur(image, float(rng.uniform(0.004, 0.04)) * width)
    return np.clip(image, 0.003, 1.5)


@dataclass(frozen=True)
class Finger:
    """A finger that holds the medium, as a capsule on it.

    Attributes:
        root: where it enters the medium, photo units.
        tip: centre of its tip, photo units.
        radius: half its thickness, photo units.
        skin: reflectance of its skin.
    """

    root: tuple[float, float]
    tip: tuple[float, float]
    radius: float
    skin: tuple[float, float, float]


def sample_fingers(
    rng: np.random.Generator, edges: tuple[float, float, float, float], face: float
) -> tuple[Finger, ...]:
    """Draw one to three fingers over the left, right or lower edge.

    Args:
        rng: source of randomness.
        edges: (u0, v0, u1, v1) of the medium, photo units.
        face: distance from eyes to mouth on the photograph, photo units.
    """
    u0, v0, u1, v1 = edges
    melanin = rng.uniform(0, 1)
    skin = np.array([0.55, 0.36, 0.27]) * (1 - melanin) + np.array([0.09, 0.05, 0.035]) * melanin
    tint = (float(skin[0]), float(skin[1]), float(skin[2]))
    radius = face * rng.uniform(0.1, 0.2)
    side = str(rng.choice(("left", "right", "bottom"), p=(0.35, 0.35, 0.3)))
    fingers: list[Finger] = []
    along = rng.uniform(0.15, 0.75)
    for _ in range(int(rng.integers(1, 4))):
        reach = radius * rng.uniform(0.6, 2.6)
        at = v0 + along * (v1 - v0) if side != "bottom" else u0 + along * (u1 - u0)
        drift = radius * rng.normal(0, 0.6)
        root, tip = {
            "left": ((u0 - 4 * radius, at + drift), (u0 + reach, at)),
            "right": ((u1 + 4 * radius, at + drift), (u1 - reach, at)),
            "bottom": ((at + drift, v1 + 4 * radius), (at, v1 - reach)),
        }[side]
        fingers.append(Finger((float(root[0]), float(root[1])), (float(tip[0]), float(tip[1])), radius, tint))
        along += 2.1 * radius
    return tuple(fingers)


def draw_fingers(scene: Floats, rays: Rays, fingers: tuple[Finger, ...], light: Light) -> Floats:
    """Put fingers over a scene (H, W, 3)."""
    for finger in fingers:
        (ax, ay), (bx, by) = finger.root, finger.tip
        dx, dy = bx - ax, by - ay
        along = np.clip(((rays.u - ax) * dx + (rays.v - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        distance = np.hypot(rays.u - ax - along * dx, rays.v - ay - along * dy)
        cover = np.clip((finger.radius - distance) / rays.step + 0.5, 0, 1)
        roundness = np.sqrt(np.clip(1 - (distance / finger.radius) ** 2, 0.04, 1))
        skin = tint(spread(roundness), 0.9 * np.array(finger.skin) * light.ambient)
        scene = mix(scene, skin, cover)
    return scene


def _tint(rng: np.random.Generator, spread: float) -> tuple[float, float, float]:
    """From warm (candle side) to cool (sky side), with mean 1."""
    warmth = rng.normal(0, spread)
    colour = np.exp([warmth, rng.normal(0, spread / 5), -warmth])
    red, green, blue = colour / colour.mean()
    return float(red), float(green), float(blue)

"""The geometry of what is worn on the head: spectacle frames and lenses, hats and their brims."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.assets import SKIN
from facegate.synthesis.canonical import canonical
from facegate.synthesis.geometry import Array, unit
from facegate.synthesis.identity import BALL, Identity
from facegate.synthesis.strands import Strands
from facegate.synthesis.wear import Glasses, Hat

LOOP = 41
"""Points along each part of a spectacle frame."""
VERTEX_DISTANCE = 0.0125
"""From the eyes' front to the lenses, metres."""
BRIM = (15, 5)
"""Points across and along a brim."""
SLOPE = 0.36
"""How fast a hat's edge drops towards the back of the head."""


def lens_outlines(identity: Identity, glasses: Glasses) -> Array:
    """(2, LOOP, 3) closed outlines of the right and left lens, in head coordinates."""
    around = np.linspace(0, 2 * np.pi, LOOP)
    power = 2 / glasses.square
    x = np.sign(np.cos(around)) * np.abs(np.cos(around)) ** power * glasses.width / 2
    y = np.sign(np.sin(around)) * np.abs(np.sin(around)) ** power * glasses.height / 2
    outlines = []
    for eye, side in zip(identity.eyes, (-1, 1), strict=True):
        middle = eye + np.array([side * 0.002, -glasses.drop, BALL + VERTEX_DISTANCE])
        curve = -0.10 * np.abs(x * side) * (x * side > 0) + 0.12 * y
        outlines.append(middle + np.stack([x * side, y, curve], 1))
    return np.stack(outlines).astype(np.float32)


def frame_strands(identity: Identity, glasses: Glasses) -> Strands:
    """A spectacle frame as thick strands: two rims, a bridge, two temples."""
    rims = lens_outlines(identity, glasses)
    t = np.linspace(0, 1, LOOP)[:, None]
    parts = list(rims)
    inner = [rim[np.abs(rim[:, 0]).argmin()] for rim in rims]
    bridge = inner[0] + (inner[1] - inner[0]) * t
    bridge[:, 1] += 0.004 + 0.003 * np.sin(np.pi * t[:, 0])
    bridge[:, 2] += 0.003 * np.sin(np.pi * t[:, 0])
    parts.append(bridge)
    for rim in rims:
        hinge = rim[np.abs(rim[:, 0]).argmax()] + (0, 0.006, 0)
        ear = np.array([np.sign(hinge[0]) * 0.077, 0.006, -0.095])
        parts.append(hinge + (ear - hinge) * t)
    offset = np.stack(parts).astype(np.float32)
    alpha = np.ones((5, LOOP), np.float32)
    if glasses.rimless_below:
        alpha[:2][rims[..., 1] < rims[..., 1].mean()] = 0.12
    return Strands(
        triangle=np.zeros((5, 3), np.int32),
        share=np.zeros((5, 3), np.float32),
        offset=offset,
        colour=np.tile(np.array(glasses.colour, np.float32), (5, LOOP, 1)),
        width=np.full((5, LOOP), glasses.rim, np.float32),
        alpha=alpha,
    )


def lay_lenses(picture: Array, depth: Array, outlines: Array, glasses: Glasses, level: Array) -> None:
    """Tint what is behind the lenses and lay their reflection over it, in place.

    Args:
        picture: (S, S, 3) scene.
        depth: (S, S) of the surfaces.
        outlines: (2, LOOP, 3) on the screen: pixels and depth.
        glasses: their look.
        level: (3,) brightness of the surroundings.
    """
    for outline in outlines:
        cover = np.zeros(depth.shape, np.uint8)
        points = np.round((outline[:, :2] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(cover, [points], 255, cv2.LINE_AA, 4)
        x, y, wide, tall = cv2.boundingRect(cover)
        if wide == 0:
            continue
        window = np.s_[y : y + tall, x : x + wide]
        share = cover[window].astype(np.float32) / 255 * (depth[window] > outline[:, 2].mean() - 0.02)
        ramp = np.linspace(1.6, 0.2, tall)[:, None] * np.linspace(1.2, 0.7, wide)[None]
        seen = picture[window] * (1 - (glasses.tint + 0.06) * share[..., None])
        picture[window] = seen + (glasses.glare * share * ramp)[..., None].astype(np.float32) * level


@dataclass(frozen=True, eq=False)
class Shell:
    """A hat as triangles over the head.

    Attributes:
        points: (K, 3) in head coordinates.
        normals: (K, 3).
        triangles: (T, 3).
        keep: (K,) drawn where positive.
        place: (K, 3) on the average head, for the weave.
    """

    points: Array
    normals: Array
    triangles: NDArray[np.int32]
    keep: Array
    place: Array


def hat_height(hat: Hat, points: Array) -> Array:
    """Metres above a hat's edge, at (…, 3) points of the head."""
    edge = hat.line + SLOPE * np.minimum(points[..., 2] + 0.01, 0)
    return (points[..., 1] - edge).astype(np.float32)


def hat_shell(identity: Identity, hat: Hat) -> Shell:
    """The crown, offset from the skull, and the brim of a cap."""
    assets, place = identity.assets, canonical(identity.assets)
    points, normals = identity.points[assets.corner], identity.normals[assets.corner]
    height = hat_height(hat, points)
    keep = np.where(place.ear > 0.2, -1, height).astype(np.float32)
    thick = hat.thickness * (1.35 if hat.kind == "beanie" else 1.0) * np.where(height < 0.030, 1.0, 0.75)
    crown = (
        points
        + normals * thick[:, None]
        + np.array([0, 0.006, -0.002]) * np.clip(height / 0.05, 0, 1)[:, None]
    )
    skin = assets.triangles[assets.kind == SKIN]
    skin = skin[(keep[skin] > 0).any(1)]
    shell = Shell(crown.astype(np.float32), normals, skin, keep, place.vertices)
    return _with_brim(shell, identity, hat) if hat.brim > 0 else shell


def _with_brim(shell: Shell, identity: Identity, hat: Hat) -> Shell:
    across, along = np.meshgrid(np.linspace(-1, 1, BRIM[0]), np.linspace(0, 1, BRIM[1]))
    azimuth = across * np.radians(62)
    away = np.stack([np.sin(azimuth), np.full_like(azimuth, 0.35), np.cos(azimuth)], -1).reshape(-1, 3)
    _, radius = identity.scalp.clearance(
        (canonical(identity.assets).centre + unit(away) * 0.1).astype(np.float32)
    )
    edge = canonical(identity.assets).centre + unit(away) * (radius + hat.thickness * 0.8)[:, None]
    edge[:, 1] = hat.line + 0.004 - 0.25 * np.maximum(0, -edge[:, 2])
    reach = hat.brim * np.clip(np.cos(azimuth), 0, 1) ** 0.8 * along
    out = np.stack([0.35 * np.sin(azimuth), -0.22 - 0.35 * across**2, np.cos(azimuth)], -1)
    points = edge + out.reshape(-1, 3) * reach.reshape(-1, 1)
    start, columns = len(shell.points), BRIM[0]
    cell = (np.arange(BRIM[1] - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1) + start
    triangles = np.concatenate(
        [
            np.stack([cell, cell + 1, cell + columns], 1),
            np.stack([cell + 1, cell + columns + 1, cell + columns], 1),
        ]
    )
    up = np.tile(np.array([0, 0.93, 0.37], np.float32), (len(points), 1))
    return Shell(
        points=np.concatenate([shell.points, points]).astype(np.float32),
        normals=np.concatenate([shell.normals, up]),
        triangles=np.concatenate([shell.triangles, triangles]).astype(np.int32),
        keep=np.concatenate([shell.keep, np.ones(len(points), np.float32)]),
        place=np.concatenate([shell.place, points]).astype(np.float32),
    )

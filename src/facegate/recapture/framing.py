"""How an attacker holds the medium: where the face lands, how the medium is turned, which edges show.

A face on a medium lands like a live face does (size, position), and the edges of the medium come into view in
only some of the pictures: otherwise a network learns the frame and not the medium.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facegate.recapture.geometry import FACE_MARGIN, Placement, Rays, eye_mouth_distance, visible_box
from facegate.recapture.imaging import Floats

BORDER_SHARE = 0.32
"""Share of attacks in which an edge of the medium is brought into view; in some more it shows by itself."""


class Framing(NamedTuple):
    """Where a face lands in the picture.

    Attributes:
        x: middle between eyes and mouth, frame units.
        y: the same, downwards.
        face: distance from eyes to mouth, frame units.
        roll: rotation, radians.
    """

    x: float
    y: float
    face: float
    roll: float = 0.0


@dataclass(frozen=True)
class Extent:
    """Part of the photograph that the medium carries, photo units, and the rim around it.

    Attributes:
        box: (u0, v0, u1, v1).
        rim: width of the bare margin or bezel around the box.
    """

    box: tuple[float, float, float, float]
    rim: float

    @property
    def outer(self) -> tuple[float, float, float, float]:
        """The box with its rim."""
        u0, v0, u1, v1 = self.box
        return u0 - self.rim, v0 - self.rim, u1 + self.rim, v1 + self.rim


def sample_framing(rng: np.random.Generator) -> Framing:
    """Draw where a face lands when nothing else says so."""
    x, y = rng.normal(0.5, 0.03, 2)
    return Framing(float(x), float(y), float(rng.uniform(0.25, 0.35)), float(rng.normal(0, 0.05)))


def place_face(
    rng: np.random.Generator, landmarks: Floats, framing: Framing, bend: float, photo_aspect: float
) -> Placement:
    """Hold a photograph so that its face lands as wanted, turned a little out of the picture plane.

    Args:
        rng: source of randomness.
        landmarks: (5, 2) on the photograph, photo units.
        framing: where the face shall land.
        bend: strength of the sheet's bend per face size; 0 for a rigid medium.
        photo_aspect: height / width of the photograph, which bounds the turn.
    """
    centre = 0.5 * (landmarks[:2].mean(0) + landmarks[3:].mean(0))
    return Placement(
        anchor=(float(centre[0]), float(centre[1])),
        target=(framing.x, framing.y),
        scale=framing.face / eye_mouth_distance(landmarks),
        roll=framing.roll,
        tilt=_sample_tilt(rng),
        bend=bend / max(1.0, photo_aspect),
        bend_angle=_sample_bend_angle(rng),
    )


def place_content(rng: np.random.Generator, photo_aspect: float, bend: float) -> Placement:
    """Hold a photograph of anything, so that it fills the frame."""
    scale = float(rng.uniform(1.15, 2.2)) / min(1.0, photo_aspect)
    slack = 0.5 - 0.5 / scale
    u = 0.5 + rng.uniform(-0.7, 0.7) * slack
    v = 0.5 * photo_aspect + rng.uniform(-0.7, 0.7) * max(0.5 * photo_aspect - 0.5 / scale, 0)
    return Placement(
        (float(u), float(v)),
        (0.5, 0.5),
        scale,
        float(rng.normal(0, 0.06)),
        _sample_tilt(rng),
        bend,
        _sample_bend_angle(rng),
    )


def sample_extent(
    rng: np.random.Generator,
    placement: Placement,
    face: float,
    photo_aspect: float,
    rim: float,
    show_border: bool,
) -> Extent:
    """Choose the part of the photograph that the medium carries.

    Args:
        rng: source of randomness.
        placement: pose of the medium.
        face: distance from eyes to mouth on the photograph, photo units.
        photo_aspect: height / width of the photograph.
        rim: width of the margin or bezel, photo units.
        show_border: bring one to three edges into view, outside the face.
    """
    whole = np.array([0.0, 0.0, 1.0, photo_aspect])
    if not show_border:
        return Extent((0.0, 0.0, 1.0, photo_aspect), rim)
    seen = np.array(visible_box(placement, 1.0))
    anchor = np.array(placement.anchor * 2)
    keep = anchor + FACE_MARGIN * face * np.array([-1, -1, 1, 1])
    cut = keep + rng.uniform(0.15, 0.8, 4) * (seen - keep)
    sides = rng.random(4) < 0.45
    sides[rng.integers(4)] = True
    box = np.where(sides, cut, whole)
    u0, v0 = np.maximum(box[:2], 0)
    u1, v1 = np.minimum(box[2:], whole[2:])
    return Extent((float(u0), float(v0), float(u1), float(v1)), rim)


def coverage(rays: Rays, box: tuple[float, float, float, float]) -> Floats:
    """Share of each sensor cell that sees inside a box, anti-aliased, (H, W)."""
    u0, v0, u1, v1 = (np.float32(edge) for edge in box)
    inside = np.minimum(np.minimum(rays.u - u0, u1 - rays.u), np.minimum(rays.v - v0, v1 - rays.v))
    return np.clip(inside / np.float32(rays.step) + np.float32(0.5), 0, 1).astype(np.float32, copy=False)


def _sample_tilt(rng: np.random.Generator) -> tuple[float, float]:
    x, y = np.clip(rng.normal(0, 0.13, 2), -0.35, 0.35)
    return float(x), float(y)


def _sample_bend_angle(rng: np.random.Generator) -> float:
    return float(rng.choice((0.0, np.pi / 2), p=(0.8, 0.2)) + rng.normal(0, 0.15))

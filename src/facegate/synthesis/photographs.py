"""What an attacker has of a person: a photograph, and how to hold it so that the face lands like a live one.

A photograph is taken by a better camera in another light than the attack. A few attacks share one, whatever
their species, so that what a species shows says nothing about the species.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from facegate.recapture.camera import Camera, capture, sample_portrait_camera
from facegate.recapture.framing import Framing
from facegate.recapture.geometry import eye_mouth_distance
from facegate.recapture.imaging import Bytes, Floats
from facegate.recapture.media import Wearer
from facegate.recapture.room import Light as RoomLight
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.colours import skin_colour
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import Light
from facegate.synthesis.render import render
from facegate.synthesis.shot import Pose, Shot, sample_pose, sample_shot
from facegate.synthesis.stills import person_of
from facegate.synthesis.wear import sample_mask

PHOTOGRAPH_SIZE = 256
"""Side of a photograph, pixels."""
FACE_ON_PHOTOGRAPH = (0.6, 0.78)
"""Size of the face on a photograph relative to a live one: smaller, so that the photograph fills the frame."""
WEARER_SIZE = 112

_PHOTOGRAPH, _WEARER = 4, 5


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture of a person.

    Attributes:
        picture: uint8 RGB.
        landmarks: (5, 2), its pixels.
        shot: what was taken.
    """

    picture: Bytes
    landmarks: Floats
    shot: Shot

    @property
    def units(self) -> Floats:
        """Landmarks in photo units, see :mod:`facegate.recapture.geometry`."""
        return ((self.landmarks + 0.5) / self.picture.shape[1]).astype(np.float32)


@functools.lru_cache(maxsize=8)
def photograph_of(assets: HeadAssets, seed: int, person: int, number: int) -> Photograph:
    """Photograph `number` of a person, as an attacker finds it."""
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, number, _PHOTOGRAPH])
    shot = photographed(rng, sample_shot(rng, identity, variety=0.8))
    return take_photograph(rng, identity, shot, sample_portrait_camera(rng), PHOTOGRAPH_SIZE)


def photographed(rng: np.random.Generator, shot: Shot) -> Shot:
    """The shot with the face smaller in the picture."""
    scale = shot.pose.scale * float(rng.uniform(*FACE_ON_PHOTOGRAPH))
    return replace(shot, pose=replace(shot.pose, scale=scale))


def take_photograph(
    rng: np.random.Generator, identity: Identity, shot: Shot, camera: Camera, size: int
) -> Photograph:
    """Photograph a person."""
    rendered = render(identity, shot, size)
    return Photograph(capture(rendered.scene, camera, rng, size), rendered.landmarks, shot)


def live_framing(rng: np.random.Generator, photograph: Photograph) -> Framing:
    """Where the photographed face would land if it were live, by the distribution of live poses."""
    live, taken = sample_pose(rng), photograph.shot.pose
    points, enlarged = photograph.units, live.scale / taken.scale
    middle = 0.5 * (points[:2].mean(0) + points[3:].mean(0))
    offset = enlarged * (middle - (0.5 + taken.shift_x, 0.5 + taken.shift_y))
    return Framing(
        x=float(0.5 + live.shift_x + offset[0]),
        y=float(0.5 + live.shift_y + offset[1]),
        face=float(enlarged * eye_mouth_distance(points)),
        roll=float(rng.normal(0, 0.08)),
    )


def room_light(rng: np.random.Generator, light: Light) -> RoomLight:
    """The renderer's light as it falls on a flat medium."""
    ambient, key = light.level / light.level.mean(), light.colour / light.colour.mean()
    return RoomLight(
        ambient=(float(ambient[0]), float(ambient[1]), float(ambient[2])),
        key=(float(key[0]), float(key[1]), float(key[2])),
        gradient=(float(rng.normal(0, 0.3)), float(rng.normal(0, 0.25))),
    )


def masked(rng: np.random.Generator, shot: Shot) -> Shot:
    """The shot with the face as a rigid mask, on a wearer of any skin."""
    wearer = np.asarray(skin_colour(rng.uniform(0.03, 1.5), rng.uniform(0.3, 0.55)), np.float32)
    mask = sample_mask(rng, wearer)
    return replace(shot, mask=mask, expression={}, expression_name="mask", glasses=None)


@functools.lru_cache(maxsize=16)
def wearer_of(assets: HeadAssets, seed: int, person: int, number: int, blink: float | None = None) -> Wearer:
    """Somebody behind a print: the person's own eyes in another light and look.

    No other person of the data set is shown, so subjects stay disjoint between splits.

    Args:
        assets: the head.
        seed: of the data set.
        person: number of the person who is impersonated.
        number: number of the wearer's picture.
        blink: eyelid closure, 0 to 1; drawn if absent.
    """
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, number, _WEARER])
    shot = sample_shot(rng, identity, variety=0.3)
    pose = Pose(yaw=shot.pose.yaw, pitch=shot.pose.pitch, distance=0.6, scale=0.95, gaze=shot.pose.gaze)
    shot = replace(shot, pose=pose, glasses=None, hat=None, expression={})
    if blink is not None:
        shot = replace(shot, blink=blink)
    rendered = render(identity, shot, WEARER_SIZE)
    picture = capture(rendered.scene, sample_portrait_camera(rng), rng, WEARER_SIZE)
    return Wearer(picture, rendered.landmarks)

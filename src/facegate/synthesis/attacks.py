"""Presentations of rendered people: live before the camera, or a photograph, a screen, a mask in their place.

An attack starts from a *photograph* of the person, taken by a better camera in another light; a few attacks
share one, whatever their species, so that what a species shows says nothing about it. The face lands in the
picture as a live face would, the background is drawn like a live one's, and the camera is of one population.
"""

import functools
import json
from dataclasses import dataclass, replace

import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import capture, sample_camera, sample_portrait_camera
from facegate.recapture.framing import Framing
from facegate.recapture.geometry import eye_mouth_distance
from facegate.recapture.imaging import Bytes, Floats
from facegate.recapture.media import PAPER, SCREENS, Recapture, Wearer, recapture
from facegate.recapture.room import Light as RoomLight
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.background import sample_background
from facegate.synthesis.colours import skin_colour
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import Light, sample_light
from facegate.synthesis.render import render
from facegate.synthesis.shot import Pose, Shot, sample_pose, sample_shot
from facegate.synthesis.stills import SOURCE, encode, person_of, subject_name
from facegate.synthesis.wear import sample_mask

SPECIES = (*PAPER, *SCREENS, AttackSpecies.MASK_RIGID)
"""Attacks that can be rendered."""
PHOTOGRAPH_SIZE, RENDERED_SIZE = 256, 192
"""Side of a photograph, and of the render that it is taken of, pixels."""
SHARED = 3
"""Attacks of each species that show the same photograph."""
FACE_ON_PHOTOGRAPH = (0.6, 0.78)
"""Size of the face on a photograph relative to a live one: smaller, so that the photograph fills the frame."""

_LIVE, _ATTACK, _PHOTOGRAPH, _WEARER = 2, 3, 4, 5


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture of a person that an attacker has.

    Attributes:
        picture: uint8 RGB.
        landmarks: (5, 2), its pixels.
        shot: what was taken.
    """

    picture: Bytes
    landmarks: Floats
    shot: Shot


def bona_fide(assets: HeadAssets, seed: int, person: int, index: int, size: int) -> dict[str, object]:
    """Take live presentation `index` of a person: a row of ``SAMPLE_COLUMNS`` without ``split``.

    Args:
        assets: the head.
        seed: of the data set.
        person: number of the person.
        index: number of the picture.
        size: side of the picture, pixels.
    """
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, index, _LIVE])
    shot = sample_shot(rng, identity)
    rendered = render(identity, shot, size)
    camera = sample_camera(rng)
    picture = capture(rendered.scene, camera, rng, size)
    row = _row(identity, AttackSpecies.BONA_FIDE, index, picture, rendered.landmarks, shot)
    return row | {"camera": camera.name, "illumination": shot.light.kind}


def attack(
    assets: HeadAssets, seed: int, person: int, species: AttackSpecies, index: int, size: int
) -> dict[str, object]:
    """Make attack `index` of a species on a person: a row of ``SAMPLE_COLUMNS`` without ``split``.

    Args:
        assets: the head.
        seed: of the data set.
        person: number of the person who is impersonated.
        species: one of ``SPECIES``.
        index: number of the attack within its species.
        size: side of the picture, pixels.

    Raises:
        ValueError: the species cannot be rendered.
    """
    if species not in SPECIES:
        raise ValueError(f"{species.value} cannot be rendered")
    if species is AttackSpecies.MASK_RIGID:
        return _mask(assets, seed, person, index, size)
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, index, _ATTACK, SPECIES.index(species)])
    photograph = photograph_of(assets, seed, person, index // SHARED)
    light = sample_light(rng)
    framing = live_framing(rng, photograph)
    result = recapture(
        photograph.picture,
        photograph.landmarks,
        species,
        rng,
        size,
        sample_background(light, rng),
        wearer=wearer_of(assets, seed, person, index // SHARED) if _has_holes(species) else None,
        framing=framing,
        light=room_light(rng, light),
    )
    return _flat_row(identity, species, index, result, photograph, framing, light)


def photograph_of(assets: HeadAssets, seed: int, person: int, number: int) -> Photograph:
    """Photograph `number` of a person, as an attacker finds it."""
    return _photograph(assets, seed, person, number)


def live_framing(rng: np.random.Generator, photograph: Photograph) -> Framing:
    """Where the photographed face would land if it were live, by the distribution of live poses."""
    live, taken = sample_pose(rng), photograph.shot.pose
    points = (photograph.landmarks + 0.5) / photograph.picture.shape[1]
    enlarged = live.scale / taken.scale
    middle = 0.5 * (points[:2].mean(0) + points[3:].mean(0))
    offset = enlarged * (middle - (0.5 + taken.shift_x, 0.5 + taken.shift_y))
    return Framing(
        x=float(0.5 + live.shift_x + offset[0]),
        y=float(0.5 + live.shift_y + offset[1]),
        face=float(enlarged * eye_mouth_distance(points)),
        roll=float(rng.normal(0, 0.08)),
    )


def wearer_of(assets: HeadAssets, seed: int, person: int, number: int) -> Wearer:
    """Somebody behind a print: the person's own eyes in another light and another skin.

    No other person of the data set is shown, so subjects stay disjoint between splits.
    """
    return _wearer(assets, seed, person, number)


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
    wearer = skin_colour(rng.uniform(0.03, 1.5), rng.uniform(0.3, 0.55))
    mask = sample_mask(rng, np.asarray(wearer, np.float32))
    return replace(shot, mask=mask, expression={}, expression_name="mask", glasses=None)


@functools.lru_cache(maxsize=8)
def _photograph(assets: HeadAssets, seed: int, person: int, number: int) -> Photograph:
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, number, _PHOTOGRAPH])
    shot = sample_shot(rng, identity, variety=0.8)
    pose = replace(shot.pose, scale=shot.pose.scale * float(rng.uniform(*FACE_ON_PHOTOGRAPH)))
    shot = replace(shot, pose=pose)
    rendered = render(identity, shot, RENDERED_SIZE)
    picture = capture(rendered.scene, sample_portrait_camera(rng), rng, PHOTOGRAPH_SIZE)
    enlarged = PHOTOGRAPH_SIZE / RENDERED_SIZE
    landmarks = (rendered.landmarks + 0.5) * enlarged - 0.5
    return Photograph(picture, landmarks.astype(np.float32), shot)


@functools.lru_cache(maxsize=4)
def _wearer(assets: HeadAssets, seed: int, person: int, number: int) -> Wearer:
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, number, _WEARER])
    shot = sample_shot(rng, identity, variety=0.3)
    pose = Pose(yaw=shot.pose.yaw, pitch=shot.pose.pitch, distance=0.6, scale=0.95, gaze=shot.pose.gaze)
    rendered = render(identity, replace(shot, pose=pose, glasses=None, hat=None, expression={}), 112)
    tone = skin_colour(rng.uniform(0.03, 1.3), rng.uniform(0.3, 0.55)) / np.maximum(identity.skin.cheek, 0.02)
    scene = (rendered.scene * np.clip(tone, 0.35, 2.5)).astype(np.float32)
    return Wearer(capture(scene, sample_portrait_camera(rng), rng, 112), rendered.landmarks)


def _mask(assets: HeadAssets, seed: int, person: int, index: int, size: int) -> dict[str, object]:
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, index, _ATTACK, SPECIES.index(AttackSpecies.MASK_RIGID)])
    shot = masked(rng, sample_shot(rng, identity))
    rendered = render(identity, shot, size)
    camera = sample_camera(rng)
    picture = capture(rendered.scene, camera, rng, size)
    row = _row(identity, AttackSpecies.MASK_RIGID, index, picture, rendered.landmarks, shot)
    kind = shot.mask.kind if shot.mask else "none"
    return row | {
        "camera": camera.name,
        "illumination": shot.light.kind,
        "border_visible": False,
        "attributes": json.dumps({"variant": f"mask/{kind}"}),
    }


def _flat_row(
    identity: Identity,
    species: AttackSpecies,
    index: int,
    result: Recapture,
    photograph: Photograph,
    framing: Framing,
    light: Light,
) -> dict[str, object]:
    assert result.landmarks is not None  # the photograph has them
    row = _row(identity, species, index, result.image, result.landmarks, photograph.shot)
    attributes = {"variant": result.variant, "photograph": index // SHARED}
    return row | {
        "camera": result.camera,
        "illumination": light.kind,
        "roll": photograph.shot.pose.roll + float(np.degrees(framing.roll)),
        "border_visible": result.border_visible,
        "attributes": json.dumps(attributes, sort_keys=True),
    }


def _row(
    identity: Identity,
    species: AttackSpecies,
    index: int,
    picture: Bytes,
    landmarks: Floats,
    shot: Shot,
) -> dict[str, object]:
    name = subject_name(identity.seed, identity.index)
    return {
        "sample_id": f"{name}-{species.value}-{index:03d}",
        "subject_id": name,
        "species": species.value,
        "species_native": species.value,
        "image": encode(picture),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "source": SOURCE,
        "session": f"{index}",
        "landmarks": landmarks.reshape(-1).tolist(),
        "yaw": shot.pose.yaw,
        "pitch": shot.pose.pitch,
        "roll": shot.pose.roll,
        "blink": shot.blink,
        "sex": identity.sex,
        "age": identity.age,
        "ita": identity.ita,
        "glasses": shot.glasses is not None,
        "border_visible": False,
        "attributes": json.dumps({"expression": shot.expression_name}),
    }


def _has_holes(species: AttackSpecies) -> bool:
    return species is AttackSpecies.PRINT_CUT

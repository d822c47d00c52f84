"""Presentations of rendered people: live before the camera, or a photograph, a screen, a mask in their place.

The face of an attack lands in the picture as a live face would, its background is drawn like a live one's,
and its camera is of the same population. What is left to tell them apart is the medium.
"""

import json

import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import capture, sample_camera
from facegate.recapture.imaging import Bytes, Floats
from facegate.recapture.media import PAPER, SCREENS, Recapture, recapture
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.background import sample_background
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import sample_light
from facegate.synthesis.photographs import live_framing, masked, photograph_of, room_light, wearer_of
from facegate.synthesis.render import render
from facegate.synthesis.shot import Shot, sample_shot
from facegate.synthesis.stills import SOURCE, encode, person_of, subject_name

SPECIES = (*PAPER, *SCREENS, AttackSpecies.MASK_RIGID)
"""Attacks that can be rendered."""
SHARED = 3
"""Attacks of each species that show the same photograph."""

_LIVE, _ATTACK = 2, 3


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
    return _before_camera(rng, identity, AttackSpecies.BONA_FIDE, index, shot, size, "live")


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
        raise ValueError(f"{species.value} cannot be rendered; choose one of {[s.value for s in SPECIES]}")
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, index, _ATTACK, SPECIES.index(species)])
    if species is AttackSpecies.MASK_RIGID:
        shot = masked(rng, sample_shot(rng, identity))
        kind = shot.mask.kind if shot.mask else "none"
        return _before_camera(rng, identity, species, index, shot, size, f"mask/{kind}")
    number = index // SHARED
    photograph = photograph_of(assets, seed, person, number)
    light = sample_light(rng)
    framing = live_framing(rng, photograph)
    result = recapture(
        photograph.picture,
        photograph.landmarks,
        species,
        rng,
        size,
        sample_background(light, rng),
        wearer=wearer_of(assets, seed, person, number) if species is AttackSpecies.PRINT_CUT else None,
        framing=framing,
        light=room_light(rng, light),
    )
    row = presentation_row(identity, species, index, result.image, landmarks_of(result), photograph.shot)
    attributes = {"variant": result.variant, "photograph": number}
    return row | {
        "camera": result.camera,
        "illumination": light.kind,
        "roll": photograph.shot.pose.roll + float(np.degrees(framing.roll)),
        "border_visible": result.border_visible,
        "attributes": json.dumps(attributes, sort_keys=True),
    }


def presentation_row(
    identity: Identity,
    species: AttackSpecies,
    index: int,
    picture: Bytes,
    landmarks: Floats,
    shot: Shot,
) -> dict[str, object]:
    """Columns that every presentation has, taken from the person and the shot that is seen."""
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
    }


def landmarks_of(result: Recapture) -> Floats:
    """Landmarks of a re-captured face.

    Raises:
        ValueError: the picture showed no face.
    """
    if result.landmarks is None:
        raise ValueError("a picture without a face has no landmarks")
    return result.landmarks


def _before_camera(
    rng: np.random.Generator,
    identity: Identity,
    species: AttackSpecies,
    index: int,
    shot: Shot,
    size: int,
    variant: str,
) -> dict[str, object]:
    """A head in space, live or under a mask, before a camera."""
    rendered = render(identity, shot, size)
    camera = sample_camera(rng)
    picture = capture(rendered.scene, camera, rng, size)
    attributes = {"variant": variant, "expression": shot.expression_name}
    return presentation_row(identity, species, index, picture, rendered.landmarks, shot) | {
        "camera": camera.name,
        "illumination": shot.light.kind,
        "attributes": json.dumps(attributes, sort_keys=True),
    }

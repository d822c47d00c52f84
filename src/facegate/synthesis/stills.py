"""Labelled portraits: one row of the sample pack per picture of a rendered person."""

import functools
import json

import cv2
import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import capture, sample_camera
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.identity import Identity, make_identity
from facegate.synthesis.render import render, sample_shot

SOURCE = "synthetic"
QUALITY = 95
"""JPEG quality of stored pictures; what the camera itself did to them is seen before this."""


def subject_name(seed: int, person: int) -> str:
    """Name of a rendered person, as in the column ``subject_id``."""
    return f"synthetic-{seed}-{person:05d}"


@functools.lru_cache(maxsize=4)
def person_of(assets: HeadAssets, seed: int, person: int) -> Identity:
    """A person, remembered while pictures of them are being taken."""
    return make_identity(assets, seed, person)


def encode(picture: np.ndarray) -> bytes:
    """RGB uint8 as JPEG bytes with full colour resolution."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return cv2.imencode(".jpg", picture[..., ::-1], options)[1].tobytes()


def still(assets: HeadAssets, seed: int, person: int, index: int, size: int) -> dict[str, object]:
    """Take picture `index` of a person: a row of ``SAMPLE_COLUMNS`` without ``split``.

    The picture depends on nothing but the arguments.

    Args:
        assets: the head.
        seed: of the data set.
        person: number of the person.
        index: number of the picture.
        size: side of the picture, pixels.
    """
    identity = person_of(assets, seed, person)
    rng = np.random.default_rng([seed, person, index, 1])
    shot = sample_shot(rng, identity)
    rendered = render(identity, shot, size)
    camera = sample_camera(rng)
    picture = capture(rendered.scene, camera, rng, size)
    attributes = {
        "expression": shot.expression_name,
        "hair": shot.look.hair,
        "beard": shot.look.beard,
        "makeup": shot.look.makeup,
        "hat": shot.hat.kind if shot.hat else "none",
        "distance_m": round(shot.pose.distance, 3),
    }
    return {
        "sample_id": f"{subject_name(seed, person)}-still-{index:03d}",
        "subject_id": subject_name(seed, person),
        "species": AttackSpecies.BONA_FIDE.value,
        "image": encode(picture),
        "width": size,
        "height": size,
        "source": SOURCE,
        "camera": camera.name,
        "illumination": shot.light.kind,
        "session": f"{index}",
        "landmarks": rendered.landmarks.reshape(-1).tolist(),
        "yaw": shot.pose.yaw,
        "pitch": shot.pose.pitch,
        "roll": shot.pose.roll,
        "blink": shot.blink,
        "sex": identity.sex,
        "age": identity.age,
        "ita": identity.ita,
        "glasses": shot.glasses is not None,
        "attributes": json.dumps(attributes, sort_keys=True),
    }

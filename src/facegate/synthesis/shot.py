"""One picture to be taken: pose, face, light, surroundings, what is worn. Everything but the person."""

from dataclasses import dataclass, field

import numpy as np

from facegate.synthesis.background import sample_background
from facegate.synthesis.geometry import Array
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import Light, sample_light
from facegate.synthesis.look import Look
from facegate.synthesis.wear import (
    Clothing,
    Glasses,
    Hat,
    MaskLook,
    sample_clothing,
    sample_glasses,
    sample_hat,
)

GLASSES_ODDS, HAT_ODDS = 0.18, 0.07
USUAL_LOOK = 0.55
"""Odds that a person wears their first look."""

# odds and values (0 to 1) of ARKit's facial actions
EXPRESSIONS: dict[str, tuple[float, dict[str, float]]] = {
    "neutral": (7.0, {}),
    "smile": (
        3.0,
        {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4},
    ),
    "laugh": (
        2.0,
        {
            "mouthSmileLeft": 0.9,
            "mouthSmileRight": 0.9,
            "jawOpen": 0.16,
            "mouthUpperUpLeft": 0.3,
            "mouthUpperUpRight": 0.3,
            "cheekSquintLeft": 0.6,
            "cheekSquintRight": 0.6,
            "eyeSquintLeft": 0.3,
            "eyeSquintRight": 0.3,
        },
    ),
    "talk": (1.2, {"jawOpen": 0.28, "mouthFunnel": 0.2}),
    "surprise": (
        0.8,
        {
            "browInnerUp": 0.6,
            "browOuterUpLeft": 0.5,
            "browOuterUpRight": 0.5,
            "eyeWideLeft": 0.3,
            "eyeWideRight": 0.3,
        },
    ),
    "frown": (
        0.8,
        {"browDownLeft": 0.7, "browDownRight": 0.7, "mouthPressLeft": 0.4, "mouthPressRight": 0.4},
    ),
    "pucker": (0.4, {"mouthPucker": 0.5}),
    "sad": (0.6, {"mouthFrownLeft": 0.6, "mouthFrownRight": 0.6, "browInnerUp": 0.3}),
    "askew": (0.4, {"mouthLeft": 0.35, "mouthSmileLeft": 0.3}),
    "sneer": (0.3, {"noseSneerLeft": 0.4, "noseSneerRight": 0.4}),
}


@dataclass(frozen=True)
class Pose:
    """Where the head is and looks.

    Attributes:
        yaw: degrees, positive towards the person's left.
        pitch: degrees, positive upwards.
        roll: degrees, positive clockwise in the picture.
        distance: metres from the camera.
        scale: height of the face (brow to chin and a little more, 0.175 m) / height of the picture.
        shift_x, shift_y: of the face's middle from the picture's, fractions of its side, right and down.
        gaze: degrees the eyes turn from the camera, towards the person's left and up.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 0.8
    scale: float = 0.72
    shift_x: float = 0.0
    shift_y: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Shot:
    """Everything that one picture of a person needs.

    Attributes:
        pose: position and direction of the head.
        light: what falls on it.
        background: (n, n, 3) linear RGB behind it, any size.
        look: hair, beard and make-up.
        clothing: what covers the shoulders.
        blink: eyelid closure, 0 open to 1 closed.
        expression: values of ARKit's facial actions, 0 to 1.
        glasses, hat, mask: worn or None. Under a mask there is no expression, and a blink is the wearer's.
        expression_name: what the expression is called.
    """

    pose: Pose
    light: Light
    background: Array
    look: Look
    clothing: Clothing
    blink: float = 0.0
    expression: dict[str, float] = field(default_factory=dict)
    glasses: Glasses | None = None
    hat: Hat | None = None
    mask: MaskLook | None = None
    expression_name: str = "neutral"


def sample_pose(rng: np.random.Generator, variety: float = 1.0) -> Pose:
    """A random pose; `variety` scales how far the head turns (1: a cooperative person, ±50 degrees at most)."""
    return Pose(
        yaw=float(np.clip(rng.normal(0, 16 * variety), -48, 48)),
        pitch=float(np.clip(rng.normal(0, 8 * variety), -24, 24)),
        roll=float(np.clip(rng.normal(0, 6 * variety), -24, 24)),
        distance=float(np.exp(rng.uniform(np.log(0.42), np.log(1.6)))),
        scale=float(rng.uniform(0.62, 0.82)),
        shift_x=float(rng.normal(0, 0.03)),
        shift_y=float(rng.normal(0, 0.03)),
        gaze=(float(rng.normal(0, 6)), float(rng.normal(0, 3))),
    )


def sample_expression(rng: np.random.Generator) -> tuple[str, dict[str, float]]:
    """A random expression: its name and its facial actions."""
    odds = np.array([entry[0] for entry in EXPRESSIONS.values()])
    name = str(rng.choice(list(EXPRESSIONS), p=odds / odds.sum()))
    strength = rng.uniform(0.45, 1.0)
    return name, {action: float(value * strength) for action, value in EXPRESSIONS[name][1].items()}


def sample_shot(
    rng: np.random.Generator,
    identity: Identity,
    *,
    variety: float = 1.0,
    closed: float = 0.04,
    background: Array | None = None,
    light: Light | None = None,
) -> Shot:
    """A random picture of a person.

    Args:
        rng: source of chance; the same state gives the same picture.
        identity: the person: gives the looks to choose from.
        variety: how far the head turns, see :func:`sample_pose`.
        closed: odds of closed eyes.
        background: to share between pictures; drawn if absent.
        light: likewise.
    """
    light = light or sample_light(rng)
    usual = rng.random() < USUAL_LOOK
    look = identity.looks[0 if usual else int(rng.integers(len(identity.looks)))]
    name, expression = sample_expression(rng)
    blink = 1.0 if rng.random() < closed else float(np.clip(rng.normal(0.06, 0.07), 0, 0.3))
    return Shot(
        pose=sample_pose(rng, variety),
        light=light,
        background=sample_background(light, rng) if background is None else background,
        look=look,
        clothing=sample_clothing(rng),
        blink=blink,
        expression=expression,
        glasses=sample_glasses(rng) if rng.random() < GLASSES_ODDS else None,
        hat=sample_hat(rng) if rng.random() < HAT_ODDS else None,
        expression_name=name,
    )

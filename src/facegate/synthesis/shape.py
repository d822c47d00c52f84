"""From traits to the shape of a face: which shape targets are mixed, and how much of each.

Macro targets come in two families whose names say what they are made for: ``origin-sex-age`` and
``universal-sex-age-muscle-weight``. Each family is interpolated linearly over its factors, so that the
weights within a family sum to one (the rule of MakeHuman's modifiers, on its adult anchors only).
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.assets import HeadAssets

ORIGINS = ("african", "asian", "caucasian")
OPPOSITES = {
    "decr": "incr",
    "down": "up",
    "in": "out",
    "backward": "forward",
    "concave": "convex",
    "compress": "uncompress",
}
SPREAD = (
    ("neck-trans", 0.0),
    ("neck", 0.18),
    ("measure", 0.15),
    ("head-trans", 0.0),
    ("head-angle", 0.05),
    ("head-age", 0.20),
    ("head-fat", 0.26),
    ("head-square", 0.14),
    ("head-rectangular", 0.20),
    ("head-triangular", 0.20),
    ("head-round", 0.24),
    ("head-diamond", 0.24),
    ("forehead-nubian", 0.24),
    ("forehead-trans", 0.26),
    ("eyebrows-trans-backward", 0.26),
    ("chin-bones", 0.26),
    ("chin-width", 0.28),
    ("chin-prognathism", 0.26),
    ("head-scale", 0.28),
    ("head-back", 0.25),
    ("ear-shape", 0.25),
    ("ear", 0.34),
    ("mouth-trans-in", 0.05),
    ("nose-trans-in", 0.05),
    ("chin-cleft", 0.35),
    ("chin-jaw-drop", 0.22),
    ("chin-triangle", 0.20),
    ("mouth-dimples", 0.20),
    ("mouth-scale-depth", 0.22),
    ("mouth-angles", 0.30),
    ("eye-height", 0.28),
    ("eye-push", 0.22),
    ("eye-corner", 0.34),
    ("eye-scale", 0.34),
    ("eye-epicanthus", 0.20),
    ("nose-septumangle", 0.25),
    ("nose-flaring", 0.30),
    ("nose-compression", 0.22),
)
"""Standard deviation of a local shape, by the start of its name; the first that fits counts."""
DEFAULT_SPREAD = 0.36
LIMIT = 1.9
"""No local shape strays further than this many standard deviations: what lies beyond looks like an ogre."""
ASYMMETRY = 0.05


@dataclass(frozen=True)
class Traits:
    """What the macro targets are mixed from.

    Attributes:
        origin: shares of ORIGINS, summing to one.
        masculinity: 0 to 1.
        oldness: 0 (about 20 years) to 1 (about 80 years).
        muscle: 0 to 1, 0.5 average.
        weight: 0 to 1, 0.5 average.
    """

    origin: tuple[float, float, float]
    masculinity: float
    oldness: float
    muscle: float
    weight: float


AVERAGE = Traits(origin=(1 / 3, 1 / 3, 1 / 3), masculinity=0.5, oldness=0.2, muscle=0.5, weight=0.5)


def macro_weights(names: Sequence[str], traits: Traits) -> NDArray[np.float32]:
    """Weight of each macro target; those of either family sum to one."""
    factors = {
        **dict(zip(ORIGINS, traits.origin, strict=True)),
        "universal": 1.0,
        "male": traits.masculinity,
        "female": 1 - traits.masculinity,
        "old": traits.oldness,
        "young": 1 - traits.oldness,
        **_three("muscle", traits.muscle),
        **_three("weight", traits.weight),
    }
    return np.array([np.prod([factors[word] for word in name.split("-")]) for name in names], np.float32)


def _three(label: str, value: float) -> dict[str, float]:
    return {
        f"min{label}": max(0.0, 1 - 2 * value),
        f"average{label}": 1 - abs(2 * value - 1),
        f"max{label}": max(0.0, 2 * value - 1),
    }


def sample_local(names: Sequence[str], rng: np.random.Generator) -> NDArray[np.float32]:
    """Weights (L,) of a random face's local targets, 0 to 1; of two opposites at most one is used."""
    weights = np.zeros(len(names), np.float32)
    for spread, sides in _labels(tuple(names)):
        shared = spread * float(np.clip(rng.standard_normal(), -LIMIT, LIMIT))
        for negative, positive in sides:
            value = shared + (ASYMMETRY * rng.standard_normal() if len(sides) > 1 else 0.0)
            row = positive if value > 0 else negative
            if row is not None:
                weights[row] = min(abs(value), 1.0)
    return weights


@functools.lru_cache(maxsize=2)
def _labels(names: tuple[str, ...]) -> list[tuple[float, list[tuple[int | None, int | None]]]]:
    """Every local shape without side and sign: its spread and per side the rows of (negative, positive) targets."""
    found: dict[str, list[tuple[str, str]]] = {}
    positives = set(OPPOSITES.values())
    for name in sorted(names):
        stem, _, sign = name.rpartition("-")
        if sign in positives:
            continue
        pair = (name, f"{stem}-{OPPOSITES[sign]}") if sign in OPPOSITES else ("", name)
        label = name.removeprefix("l-").removeprefix("r-")
        found.setdefault(label, []).append(pair)
    row = {name: i for i, name in enumerate(names)}
    return [
        (_spread(label), [(row.get(negative), row.get(positive)) for negative, positive in pairs])
        for label, pairs in sorted(found.items())
    ]


def _spread(label: str) -> float:
    return next((spread for start, spread in SPREAD if label.startswith(start)), DEFAULT_SPREAD)


def mix(assets: HeadAssets, traits: Traits, local: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Positions (P, 3) of the face that traits and local weights describe, in the base mesh's frame."""
    points = assets.base + np.tensordot(macro_weights(assets.macro_names, traits), assets.macro, 1)
    if local is not None:
        points += np.tensordot(local, assets.local, 1)
    return points.astype(np.float32)

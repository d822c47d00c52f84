"""A person who does not exist: bones, skin, hair growth and eyes, drawn from a seed and a number.

What is drawn here never changes for that person; what changes between pictures is in ``look`` and ``shot``.
Person 12 of seed 7 is the same whether one or a thousand people are made, in any order, by any process.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np

from facegate.synthesis.assets import EYE, SKIN, HeadAssets
from facegate.synthesis.canonical import canonical
from facegate.synthesis.colours import IRISES, typology_angle
from facegate.synthesis.facial import BeardLine, Brow, sample_brow
from facegate.synthesis.geometry import Array
from facegate.synthesis.hair import Hairline, hair_tone
from facegate.synthesis.look import Dressed, Look, dress
from facegate.synthesis.occlusion import skin_depths
from facegate.synthesis.raster import vertex_normals
from facegate.synthesis.shape import Traits, mix, sample_local
from facegate.synthesis.skin import Complexion, Skin, paint_skin
from facegate.synthesis.strands import Scalp

T = TypeVar("T")

YOUNGEST, OLDEST = 18.0, 78.0
LOOKS = 2
"""Ways each person wears hair and face."""
BALL = 0.0121
"""Radius of an eyeball, metres."""
FEMALE_STYLES = ("long", "bob", "tied", "wavy", "long_fringe", "bob_fringe", "medium", "curly", "crop")
MALE_STYLES = ("crop", "side", "swept", "tousled", "buzz", "curly", "medium", "shaven", "tied")
RECEDING_STYLES = ("crop", "buzz", "shaven", "side")
COILED_STYLES = ("afro", "buzz", "tied", "curly", "shaven")


@dataclass(frozen=True, eq=False)
class Identity:
    """One rendered person.

    Attributes:
        assets: the head they are a variation of.
        seed, index: what they were drawn from.
        sex: apparent sex, ``female`` or ``male``.
        age: apparent age, years.
        ita: skin tone, individual typology angle in degrees.
        traits: what the shape was mixed from.
        points: (P, 3) head at rest, metres from between the eyes.
        normals: (P, 3).
        eyes: (2, 3) centres of the eyeballs, right then left.
        skin: texture without hair and make-up.
        hairline, hair_colour, grey, brow, brow_colour, beard_line, beard_colour: growth and colour of hair.
        lash: strength of the lashes, 0 to 1.
        iris: (9,) radius / eyeball's, pupil / iris, outer colour, inner colour, phase.
        lips: (V,) 1 on the lips.
        looks: the ways they wear hair and face, the usual one first.
        scalp: where hair roots.
        depths: the head seen from all sides, for :mod:`occlusion`.
        cache: what was made of the person so far.
    """

    assets: HeadAssets
    seed: int
    index: int
    sex: str
    age: float
    ita: float
    traits: Traits
    points: Array
    normals: Array
    eyes: Array
    skin: Skin
    hairline: Hairline
    hair_colour: Array
    grey: float
    brow: Brow
    brow_colour: Array
    beard_line: BeardLine
    beard_colour: Array
    lash: float
    iris: Array
    lips: Array
    looks: tuple[Look, ...]
    scalp: Scalp
    depths: Array
    cache: dict[object, object] = field(default_factory=dict, repr=False)

    def dressed(self, look: Look) -> Dressed:
        """The person in a look (made once, then remembered)."""
        return self.remembered(look, lambda: dress(self, look))

    def remembered(self, key: object, make: Callable[[], T]) -> T:
        """What `make` gave for `key`, made at the first call."""
        if key not in self.cache:
            self.cache[key] = make()
        return cast(T, self.cache[key])


def stream(seed: int, index: int, topic: str) -> np.random.Generator:
    """Chance for one aspect of one person: a new aspect never disturbs the others."""
    return np.random.default_rng([seed, index, zlib.crc32(topic.encode())])


def make_identity(assets: HeadAssets, seed: int, index: int) -> Identity:
    """Make person number `index` of `seed`."""
    traits = _sample_traits(stream(seed, index, "traits"))
    male = traits.masculinity > 0.5
    age = YOUNGEST + traits.oldness * (OLDEST - YOUNGEST)
    points = mix(assets, traits, sample_local(assets.local_names, stream(seed, index, "shape")))
    points = (points - np.mean([points[side].mean(0) for side in canonical(assets).lids], axis=0)).astype(
        np.float32
    )
    normals = np.empty_like(points)
    vertex_normals(points, assets.corner[assets.triangles], normals)
    complexion = _sample_complexion(traits, age, stream(seed, index, "pigment"))
    skin = paint_skin(assets, complexion, stream(seed, index, "skin"))
    hair = _sample_hair(traits, complexion, age, stream(seed, index, "hair"))
    rng = stream(seed, index, "face")
    hairline = _sample_hairline(male, age, rng)
    vertices = points[assets.corner]
    return Identity(
        assets=assets,
        seed=seed,
        index=index,
        sex="male" if male else "female",
        age=float(age),
        ita=typology_angle(skin.cheek),
        traits=traits,
        points=points,
        normals=normals,
        eyes=_eyeballs(assets, points),
        skin=skin,
        hairline=hairline,
        hair_colour=hair[0],
        grey=hair[1],
        brow=sample_brow(male, rng),
        brow_colour=hair[2],
        beard_line=BeardLine(rng.uniform(0.004, 0.020), rng.uniform(0.25, 1.0)),
        beard_colour=(0.75 * hair[0] + 0.25 * hair[2]).astype(np.float32),
        lash=rng.uniform(0.45, 0.9),
        iris=_sample_iris(complexion, rng),
        lips=_lips(assets),
        looks=_sample_looks(male, hairline, traits, rng),
        scalp=Scalp(assets, points, normals),
        depths=skin_depths(vertices, assets.triangles[assets.kind == SKIN]),
    )


def _sample_traits(rng: np.random.Generator) -> Traits:
    origin = rng.dirichlet([0.28, 0.28, 0.28])
    male = rng.random() < 0.5
    return Traits(
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        masculinity=float(np.clip((1 if male else 0) + (-1 if male else 1) * abs(rng.normal(0, 0.12)), 0, 1)),
        oldness=float(np.clip(rng.beta(1.15, 1.7), 0, 1)),
        muscle=float(rng.uniform(0.3, 0.85)),
        weight=float(np.clip(rng.normal(0.5, 0.21), 0.02, 0.98)),
    )


def _sample_complexion(traits: Traits, age: float, rng: np.random.Generator) -> Complexion:
    african, asian, caucasian = traits.origin
    melanin = (
        african * rng.uniform(0.75, 1.75)
        + asian * rng.uniform(0.14, 0.55)
        + caucasian * rng.uniform(0.03, 0.34)
    )
    return Complexion(
        melanin=float(np.clip(melanin + rng.normal(0, 0.04), 0.03, 1.9)),
        haemoglobin=float(np.clip(rng.normal(0.42, 0.11), 0.18, 0.75)),
        age=age,
    )


def _sample_hair(
    traits: Traits, complexion: Complexion, age: float, rng: np.random.Generator
) -> tuple[Array, float, Array]:
    """Colour of the hair, how grey it is, colour of the brows."""
    light = rng.random() < traits.origin[2] * 0.85 and complexion.melanin < 0.45
    names, odds = ("black", "dark"), [0.72, 0.28]
    if light:
        names, odds = ("dark", "brown", "light", "blond", "red"), [0.26, 0.30, 0.20, 0.17, 0.07]
    name = str(rng.choice(names, p=odds))
    grey = float(np.clip((age - 38) / 32, 0, 1) * rng.random())
    chance = int(rng.integers(1 << 31))
    hair = hair_tone(name, grey, np.random.default_rng(chance))
    brow = hair_tone(name, 0.4 * grey, np.random.default_rng(chance)) * 0.75
    return hair, grey, brow.astype(np.float32)


def _sample_hairline(male: bool, age: float, rng: np.random.Generator) -> Hairline:
    old = float(np.clip((age - 28) / 40, 0, 1))
    receding = old * rng.random() if male else 0.0
    return Hairline(
        front=rng.uniform(35, 43) + 10 * receding,
        temple=rng.uniform(0, 6) + 12 * receding if male else rng.uniform(0, 2.5),
        bald=float(np.clip(rng.normal(0.2, 0.7), 0, 1) * (receding > 0.45)),
    )


def _sample_iris(complexion: Complexion, rng: np.random.Generator) -> Array:
    kind = rng.integers(len(IRISES)) if complexion.melanin < 0.3 else rng.integers(3)
    outer = IRISES[kind] * rng.uniform(0.8, 1.3)
    inner = outer * np.array([1.5, 1.0, 0.7]) * rng.uniform(0.6, 1.4)
    radius = rng.uniform(0.00565, 0.0061) / BALL
    return np.array([radius, 0.36, *outer, *inner, rng.uniform(0, 6)], np.float32)


def _sample_looks(
    male: bool, hairline: Hairline, traits: Traits, rng: np.random.Generator
) -> tuple[Look, ...]:
    styles = list(MALE_STYLES if male else FEMALE_STYLES)
    odds = np.linspace(1, 0.25, len(styles))
    if traits.origin[0] > 0.6 and rng.random() < 0.75:
        styles = list(COILED_STYLES if male else COILED_STYLES[:4])
        odds = np.linspace(1, 0.4, len(styles))
    if hairline.temple > 8:
        styles, odds = list(RECEDING_STYLES), np.ones(len(RECEDING_STYLES))
    hair = rng.choice(styles, size=LOOKS, p=odds / odds.sum())
    beards = ("none", "stubble", "short", "full", "goatee", "moustache")
    wears = rng.random() < 0.75
    painted = rng.random() < 0.6
    looks = []
    for number, style in enumerate(hair):
        beard = str(rng.choice(beards, p=[0.38, 0.22, 0.14, 0.10, 0.08, 0.08])) if male and wears else "none"
        makeup = float(rng.uniform(0.2, 1.0)) if not male and painted and rng.random() < 0.6 else 0.0
        looks.append(Look(str(style), beard, round(makeup, 3), number))
    return tuple(looks)


def _eyeballs(assets: HeadAssets, points: Array) -> Array:
    """Centre of the ball whose front touches the mesh's eye in the middle of the lids, right then left."""
    place, centres = canonical(assets), []
    for side, margin in enumerate(place.lids):
        chosen = assets.left_eye if side else ~assets.left_eye
        vertices = np.intersect1d(assets.vertices_of(EYE), np.flatnonzero(chosen))
        ball = points[assets.corner[vertices]]
        middle = points[margin].mean(0)
        front = ball[ball[:, 2] > np.median(ball[:, 2])]
        nearest = front[((front[:, :2] - middle[:2]) ** 2).sum(1).argsort()[:4]]
        centres.append((middle[0], middle[1], nearest[:, 2].mean() - BALL))
    return np.array(centres, np.float32)


def _lips(assets: HeadAssets) -> Array:
    mask = assets.masks[1]
    rows, columns = mask.shape
    at = (np.clip(assets.uv, 0, 0.9999) * (columns, rows)).astype(int)
    return mask[at[:, 1], at[:, 0]]

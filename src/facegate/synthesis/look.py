"""What a person changes from day to day: hair, beard, make-up, and what that does to skin and light."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegate.synthesis.assets import TEXTURE_SHAPE
from facegate.synthesis.canonical import canonical
from facegate.synthesis.facial import BEARDS, grow_beard, grow_brows, grow_lashes
from facegate.synthesis.geometry import Array, smoothstep
from facegate.synthesis.hair import STYLES, grow_hair
from facegate.synthesis.occlusion import transfer
from facegate.synthesis.skin import noise
from facegate.synthesis.strands import Strands

if TYPE_CHECKING:
    from facegate.synthesis.identity import Identity

LIPSTICKS = np.array(
    [(0.40, 0.04, 0.05), (0.34, 0.09, 0.09), (0.22, 0.02, 0.05), (0.46, 0.15, 0.14)], np.float32
)
SHADOWS = np.array([(0.20, 0.12, 0.10), (0.09, 0.08, 0.11), (0.26, 0.18, 0.10)], np.float32)


@dataclass(frozen=True)
class Look:
    """One way a person wears hair and face.

    Attributes:
        hair: a name of ``hair.STYLES``.
        beard: a name of ``facial.BEARDS``.
        makeup: 0 (none) to 1 (strong).
        seed: chance within the look: parting, colours of make-up.
    """

    hair: str
    beard: str = "none"
    makeup: float = 0.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Dressed:
    """A person in one look, ready to be posed.

    Attributes:
        texture: (rows, columns, 7) colour, gloss and relief of the skin.
        strands: every group of hair.
        transfer: (V, 9) light transfer of each render vertex.
    """

    texture: Array
    strands: tuple[Strands, ...]
    transfer: Array


def dress(identity: "Identity", look: Look) -> Dressed:
    """Grow hair and paint the face for one look (some 60 ms)."""
    rng = np.random.default_rng([identity.seed, identity.index, look.seed, 5])
    scalp, assets = identity.scalp, identity.assets
    groups = [
        grow_hair(scalp, STYLES[look.hair], identity.hairline, identity.hair_colour, identity.grey, rng),
        grow_brows(
            scalp,
            identity.brow,
            identity.brow_colour,
            np.random.default_rng([identity.seed, identity.index, 6]),
        ),
        grow_lashes(scalp, identity.lash + 0.4 * look.makeup),
        grow_beard(scalp, identity.beard_line, look.beard, identity.lips, identity.beard_colour, rng),
    ]
    strands = tuple(group for group in groups if group is not None)
    vertices, normals = identity.points[assets.corner], identity.normals[assets.corner]
    shading = [hair_points(identity, group).reshape(-1, 3) for group in strands if group.scalp]
    hair = np.concatenate([*shading, np.zeros((0, 3), np.float32)])
    return Dressed(
        texture=_texture(identity, look, rng),
        strands=strands,
        transfer=transfer(vertices, normals, identity.depths, hair),
    )


def hair_points(identity: "Identity", group: Strands) -> Array:
    """(S, J, 3) points of a group on the unposed head."""
    corner = identity.points[identity.assets.corner[group.triangle]]
    return np.einsum("sk,skx->sx", group.share, corner)[:, None].astype(np.float32) + group.offset


def _texture(identity: "Identity", look: Look, rng: np.random.Generator) -> Array:
    place, skin = canonical(identity.assets), identity.skin
    texture = np.empty((*TEXTURE_SHAPE, 7), np.float32)
    texture[..., :3], texture[..., 3], texture[..., 4:] = skin.colour, skin.gloss, skin.relief
    front = place.covered & (place.texel[..., 2] > -0.1) & (place.texel[..., 1] > place.chin_y - 0.04)
    at, colour = place.texel[front], texture[..., :3]
    face = colour[front]
    bare = 1 - identity.assets.masks[1][front]
    if identity.sex == "male":
        grown = identity.beard_line.cover(place, at, "full") * bare
        shadow = 0.16 + 0.30 * identity.beard_line.thickness * (BEARDS[look.beard][0] > 0)
        shadow *= 1 if look.beard != "none" else rng.uniform(0.1, 1.0) * identity.beard_line.thickness
        dots = 0.65 + 0.35 * smoothstep(-0.5, 1.2, noise(rng, 190)[front])
        face = _blend(face, 0.5 * identity.beard_colour + 0.045, grown * dots * shadow)
        if BEARDS[look.beard][3]:
            worn = identity.beard_line.cover(place, at, look.beard) * bare
            face = _blend(face, identity.beard_colour * 0.7, 0.62 * worn * identity.beard_line.thickness)
    face = _blend(face, identity.brow_colour, identity.brow.field(at) * 0.42 * identity.brow.density)
    if look.makeup > 0:
        face = _makeup(identity, look, face, at, 1 - bare, rng)
    colour[front] = face
    cover = identity.hairline.cover(place, place.texel) * (1 - np.clip(2 * identity.assets.masks[3], 0, 1))
    cover *= STYLES[look.hair].cover * (0.8 + 0.2 * smoothstep(-1, 1, noise(rng, 120)))
    texture[..., :3] = _blend(colour, identity.hair_colour * 0.6, cover * place.covered)
    texture[..., 3] *= 1 - 0.7 * cover
    return texture


def _makeup(
    identity: "Identity", look: Look, face: Array, at: Array, lips: Array, rng: np.random.Generator
) -> Array:
    place = canonical(identity.assets)
    x, y = np.abs(at[:, 0]), at[:, 1]
    lid = np.exp(-(((x - place.eye) / 0.019) ** 2) - ((y - 0.0065) / 0.0065) ** 2) * (at[:, 2] > -0.04)
    cheek = np.exp(-(((x - 0.047) / 0.018) ** 2) - ((y + 0.034) / 0.014) ** 2)
    lipstick = LIPSTICKS[rng.integers(len(LIPSTICKS))]
    shadow = SHADOWS[rng.integers(len(SHADOWS))] * (0.3 + identity.skin.cheek.mean() * 2)
    face = _blend(face, lipstick * 0.7 + 0.3 * face, 0.85 * look.makeup * lips)
    face = _blend(face, shadow, 0.5 * look.makeup * lid)
    return _blend(face, face * np.array([1.05, 0.80, 0.80], np.float32), 0.5 * look.makeup * cheek)


def _blend(under: Array, over: Array, share: Array) -> Array:
    return (under + (over - under) * share[..., None]).astype(np.float32)

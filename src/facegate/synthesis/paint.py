"""The colour that a look adds to a skin: growing beards, brows and hair under their strands, make-up.

Where on the texture such things can be at all is found once per head, where they are on a person once per
person; a look then costs a copy of the skin and a few thin layers.
"""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.canonical import canonical
from facegate.synthesis.facial import BEARDS
from facegate.synthesis.geometry import Array, smoothstep
from facegate.synthesis.hair import STYLES, Hairline, growth_angles
from facegate.synthesis.skin import noise

if TYPE_CHECKING:
    from facegate.synthesis.identity import Identity
    from facegate.synthesis.look import Look

LIPSTICKS = np.array(
    [(0.40, 0.04, 0.05), (0.34, 0.09, 0.09), (0.22, 0.02, 0.05), (0.46, 0.15, 0.14)], np.float32
)
SHADOWS = np.array([(0.20, 0.12, 0.10), (0.09, 0.08, 0.11), (0.26, 0.18, 0.10)], np.float32)
LOWEST_HAIRLINE = Hairline(front=30, temple=0, bald=0)
FAINT = np.float32(1e-3)
"""A layer's share below which nobody sees it."""

Texels = NDArray[np.intp]
"""(N,) numbers of texels, row by row."""


@dataclass(frozen=True, eq=False)
class _Regions:
    """Where on the texture something can be, and what is the same there for everybody.

    Attributes:
        beard, brow, hair: texels.
        at_beard, at_brow: (N, 3) their places on the average head.
        hair_angles: azimuth and elevation of hair's texels.
        hair_share: 0 on the ears, else 1.
        bare: 0 on the lips, else 1, of the beard's texels.
        lid, cheek, lips: texels of make-up.
        lid_share, cheek_share, lips_share: how strongly it lies there.
    """

    beard: Texels
    brow: Texels
    hair: Texels
    at_beard: Array
    at_brow: Array
    hair_angles: tuple[Array, Array]
    hair_share: Array
    bare: Array
    lid: Texels
    cheek: Texels
    lips: Texels
    lid_share: Array
    cheek_share: Array
    lips_share: Array


@dataclass(frozen=True, eq=False)
class _Growth:
    """How densely hair grows on one person's skin, over the texels of :class:`_Regions`.

    Attributes:
        beard: (3, N) moustache, chin and cheeks.
        brow, hair: (N,).
    """

    beard: Array
    brow: Array
    hair: Array


def paint_look(identity: "Identity", look: "Look", rng: np.random.Generator) -> Array:
    """(rows, columns, 7) colour, gloss and relief of the skin under a look."""
    regions = _regions(identity.assets)
    growth = identity.remembered("growth", lambda: _growth(identity, regions))
    texture = identity.skin.texture.copy()
    flat = texture.reshape(-1, texture.shape[-1])
    if identity.sex == "male":
        _beard(flat, identity, look, regions, growth, rng)
    _lay(flat, regions.brow, identity.brow_colour, growth.brow * np.float32(0.42 * identity.brow.density))
    if look.makeup > 0:
        _makeup(flat, identity, look, regions, rng)
    grain = smoothstep(-1, 1, noise(rng, 120).reshape(-1)[regions.hair])
    cover = growth.hair * np.float32(STYLES[look.hair].cover) * (0.8 + 0.2 * grain)
    _lay(flat, regions.hair, (identity.hair_colour * 0.6).astype(np.float32), cover)
    flat[regions.hair, 3] *= 1 - 0.7 * cover
    return texture


def _beard(
    flat: Array,
    identity: "Identity",
    look: "Look",
    regions: _Regions,
    growth: _Growth,
    rng: np.random.Generator,
) -> None:
    """The shadow of what is shaved, and the dark under what is worn."""
    *parts, count, _ = BEARDS[look.beard]
    thickness = identity.beard_line.thickness
    shadow = 0.16 + 0.30 * thickness * (BEARDS[look.beard][0] > 0)
    shadow *= 1 if look.beard != "none" else rng.uniform(0.1, 1.0) * thickness
    dots = 0.65 + 0.35 * smoothstep(-0.5, 1.2, noise(rng, 190).reshape(-1)[regions.beard])
    colour = identity.beard_colour
    grown = np.minimum(growth.beard.sum(0), 1) * regions.bare
    _lay(flat, regions.beard, 0.5 * colour + np.float32(0.045), grown * dots * np.float32(shadow))
    if count:
        worn = np.minimum(np.tensordot(np.array(parts, np.float32), growth.beard, 1), 1) * regions.bare
        _lay(flat, regions.beard, colour * np.float32(0.7), worn * np.float32(0.62 * thickness))


def _makeup(
    flat: Array, identity: "Identity", look: "Look", regions: _Regions, rng: np.random.Generator
) -> None:
    strength = np.float32(look.makeup)
    lipstick = LIPSTICKS[rng.integers(len(LIPSTICKS))]
    shadow = SHADOWS[rng.integers(len(SHADOWS))] * np.float32(0.3 + identity.skin.cheek.mean() * 2)
    _lay(flat, regions.lips, lipstick, np.float32(0.7 * 0.85) * strength * regions.lips_share)
    _lay(flat, regions.lid, shadow, np.float32(0.5) * strength * regions.lid_share)
    blush = np.float32(0.5) * strength * regions.cheek_share[:, None]
    flat[regions.cheek, :3] *= 1 + (np.array([1.05, 0.80, 0.80], np.float32) - 1) * blush


def lay_brows(identity: "Identity", colour: Array, strength: float) -> Array:
    """Paint a person's eyebrows on (rows, columns, 3) colours, in place."""
    regions = _regions(identity.assets)
    brow = identity.remembered("growth", lambda: _growth(identity, regions)).brow
    _lay(colour.reshape(-1, 3), regions.brow, identity.brow_colour, brow * np.float32(strength))
    return colour


def hair_cover(identity: "Identity") -> Array:
    """(rows, columns), 1 where the scalp's hair grows."""
    regions = _regions(identity.assets)
    cover = np.zeros(identity.skin.texture.shape[:2], np.float32)
    cover.reshape(-1)[regions.hair] = identity.remembered("growth", lambda: _growth(identity, regions)).hair
    return cover


def _growth(identity: "Identity", regions: _Regions) -> _Growth:
    place = canonical(identity.assets)
    return _Growth(
        beard=np.stack(identity.beard_line.fields(place, regions.at_beard)),
        brow=identity.brow.field(regions.at_brow),
        hair=identity.hairline.grows(*regions.hair_angles) * regions.hair_share,
    )


@functools.lru_cache(maxsize=2)
def _regions(assets: HeadAssets) -> _Regions:
    place = canonical(assets)
    texel, (_, lips, _, ears) = place.texel, place.masks
    x, y, z = np.abs(texel[..., 0]), texel[..., 1], texel[..., 2]
    front = place.covered & (z > -0.1) & (y > place.chin_y - 0.04)
    beard = front & (z > -0.092) & (y < place.mouth_y + 0.03 + 1.1 * np.clip(x - 0.035, 0, 1))
    brow = front & (x < 0.06) & (y > -0.021) & (y < 0.052) & (z > -0.036)
    hair = place.covered & (LOWEST_HAIRLINE.cover(place, texel) > 0) & (ears < 0.5)
    lid = np.exp(-(((x - place.eye) / 0.019) ** 2) - ((y - 0.0065) / 0.0065) ** 2) * (front & (z > -0.04))
    cheek = np.exp(-(((x - 0.047) / 0.018) ** 2) - ((y + 0.034) / 0.014) ** 2) * front
    mouth = lips * front
    return _Regions(
        beard=_texels(beard),
        brow=_texels(brow),
        hair=_texels(hair),
        at_beard=texel[beard],
        at_brow=texel[brow],
        hair_angles=growth_angles(place, texel[hair]),
        hair_share=1 - 2 * ears[hair],
        bare=1 - lips[beard],
        lid=_texels(lid > FAINT),
        cheek=_texels(cheek > FAINT),
        lips=_texels(mouth > 0),
        lid_share=lid[lid > FAINT],
        cheek_share=cheek[cheek > FAINT],
        lips_share=mouth[mouth > 0],
    )


def _texels(where: NDArray[np.bool_]) -> Texels:
    return np.flatnonzero(where)


@njit(nogil=True, cache=True, fastmath=True)
def _lay(texture, texels, colour, share):
    """Blend (3,) `colour` over the `texels` of a flat texture (N, 7), in place."""
    for n in range(texels.shape[0]):
        i = texels[n]
        for k in range(3):
            texture[i, k] += (colour[k] - texture[i, k]) * share[n]

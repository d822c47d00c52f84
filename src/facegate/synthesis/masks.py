"""The face of one person as a rigid mask on another: what printing and casting leave of a skin."""

import functools

import cv2
import numpy as np

from facegate.synthesis.assets import FINENESS, HeadAssets
from facegate.synthesis.canonical import canonical
from facegate.synthesis.geometry import Array, smoothstep
from facegate.synthesis.identity import Identity
from facegate.synthesis.look import Look
from facegate.synthesis.paint import hair_cover, lay_brows
from facegate.synthesis.wear import MaskLook


def mask_texture(identity: Identity, look: Look, mask: MaskLook) -> Array:
    """(rows, columns, 7) colour, gloss and relief of the mask, with the wearer's skin beyond its edge."""
    bare = identity.dressed(look).texture
    colour = lay_brows(identity, np.ascontiguousarray(bare[..., :3]), 0.75)
    colour = np.asarray(cv2.GaussianBlur(colour, (0, 0), mask.blur * FINENESS), np.float32)
    colour = _printed(colour, mask)
    if mask.front:
        colour = _on_wearer(colour, identity, mask)
    texture = np.empty_like(bare)
    texture[..., :3] = np.clip(colour, 0.004, 0.95, out=colour)
    texture[..., 3] = 0.85
    np.multiply(bare[..., 4:], np.float32(mask.relief), out=texture[..., 4:])
    return texture


def _printed(colour: Array, mask: MaskLook) -> Array:
    """What the printer makes of colours (rows, columns, 3)."""
    faded = np.float32(mask.saturation) * np.eye(3, dtype=np.float32)
    faded += np.float32((1 - mask.saturation) / 3)
    tone = np.asarray(cv2.transform(colour, faded), np.float32)
    np.log(np.clip(tone, 0.004, 0.95, out=tone), out=tone)
    tone *= np.float32(mask.gamma)
    tone += np.log(np.asarray(mask.cast, np.float32))
    np.exp(tone, out=tone)
    if mask.levels:
        steps = tone * np.float32(mask.levels)
        tone += np.rint(steps, out=steps) * np.float32(1 / mask.levels)
        tone *= np.float32(0.5)
    return tone


def _on_wearer(colour: Array, identity: Identity, mask: MaskLook) -> Array:
    """Colours of a mask of the face alone, and of the wearer beyond its edge."""
    inside, rest = _edge(identity.assets)
    cover = hair_cover(identity)[..., None]
    wearer, hair = np.asarray(mask.wearer, np.float32), np.asarray(identity.hair_colour * 0.6, np.float32)
    beyond = wearer + (hair - wearer) * cover
    return np.asarray((beyond + (colour - beyond) * inside) * rest, np.float32)


@functools.lru_cache(maxsize=2)
def _edge(assets: HeadAssets) -> tuple[Array, Array]:
    """(rows, columns, 1) twice: 1 where a mask of the face alone is, and what its edge leaves of the light."""
    face = np.asarray(cv2.GaussianBlur(canonical(assets).masks[0], (0, 0), 1.5 * FINENESS), np.float32)[
        ..., None
    ]
    return smoothstep(0.30, 0.42, face), 1 - np.float32(0.5) * np.exp(-(((face - 0.36) / 0.05) ** 2))

"""The face of one person as a rigid mask on another: what printing and casting leave of a skin."""

import cv2
import numpy as np

from facegate.synthesis.canonical import canonical
from facegate.synthesis.geometry import Array, smoothstep
from facegate.synthesis.identity import Identity
from facegate.synthesis.look import Look
from facegate.synthesis.wear import MaskLook


def mask_texture(identity: Identity, look: Look, mask: MaskLook) -> Array:
    """(rows, columns, 7) colour, gloss and relief of the mask, with the wearer's skin beyond its edge."""
    texture = identity.dressed(look).texture.copy()
    place = canonical(identity.assets)
    colour = texture[..., :3]
    brow = identity.brow.field(place.texel) * place.covered * 0.75
    colour += (identity.brow_colour - colour) * brow[..., None]
    colour[:] = cv2.GaussianBlur(colour, (0, 0), mask.blur)
    grey = colour.mean(-1, keepdims=True)
    colour[:] = np.clip(grey + (colour - grey) * mask.saturation, 0.004, 0.95) ** mask.gamma * np.array(
        mask.cast
    )
    if mask.levels:
        colour[:] = 0.5 * colour + 0.5 * np.round(colour * mask.levels) / mask.levels
    texture[..., 3] = 0.85
    texture[..., 4:] *= mask.relief
    if mask.front:
        face = cv2.GaussianBlur(identity.assets.masks[0], (0, 0), 1.5)
        inside = smoothstep(0.30, 0.42, face)[..., None]
        cover = identity.hairline.cover(place, place.texel)[..., None] * place.covered[..., None]
        beyond = np.array(mask.wearer) * (1 - cover) + identity.hair_colour * 0.6 * cover
        edge = np.exp(-(((face - 0.36) / 0.05) ** 2))[..., None]
        colour[:] = (colour * inside + beyond * (1 - inside)) * (1 - 0.5 * edge)
    np.clip(colour, 0.004, 0.95, out=colour)
    return texture

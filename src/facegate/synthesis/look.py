"""What a person changes from day to day: hair, beard, make-up, and what that does to skin and light."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegate.synthesis.facial import grow_beard, grow_brows, grow_lashes
from facegate.synthesis.geometry import Array
from facegate.synthesis.hair import STYLES, grow_hair
from facegate.synthesis.occlusion import transfer
from facegate.synthesis.paint import paint_look
from facegate.synthesis.strands import Strands

if TYPE_CHECKING:
    from facegate.synthesis.identity import Identity


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
    """Grow hair and paint the face for one look (some 35 ms)."""
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
    hair = np.concatenate([*shading, np.zeros((0, 3), np.float32)])[::2]  # every other point is dense enough
    return Dressed(
        texture=paint_look(identity, look, rng),
        strands=strands,
        transfer=transfer(vertices, normals, identity.depths, hair),
    )


def hair_points(identity: "Identity", group: Strands) -> Array:
    """(S, J, 3) points of a group on the unposed head."""
    corner = identity.points[identity.assets.corner[group.triangle]]
    return np.einsum("sk,skx->sx", group.share, corner)[:, None].astype(np.float32) + group.offset

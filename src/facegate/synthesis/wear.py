"""What people put on: clothes, glasses, hats, and the rigid masks of an attacker."""

from dataclasses import dataclass

import numpy as np

from facegate.synthesis.geometry import Array

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Clothing:
    """What covers the shoulders, painted on the body below a neckline.

    Attributes:
        neckline: height on the average head, metres.
        depth, width: of its dip at the throat.
        colour, second: linear reflectances.
        rows, columns: stripes per metre, 0 for none.
        share: of the second colour in a stripe.
        phase: shifts the folds.
        collar: brightness of a band along the neckline, 1 for none.
    """

    neckline: float
    depth: float
    width: float
    colour: Colour
    second: Colour
    rows: float = 0.0
    columns: float = 0.0
    share: float = 0.5
    phase: float = 0.0
    collar: float = 1.0

    def parameters(self) -> Array:
        """The 14 numbers that the shading kernel reads."""
        head = (self.neckline, self.depth, self.width, *self.colour, *self.second)
        return np.array([*head, self.rows, self.columns, self.share, self.phase, self.collar], np.float32)


def sample_clothing(rng: np.random.Generator) -> Clothing:
    """Random clothes."""
    striped, checked = rng.random() < 0.25, rng.random() < 0.12
    return Clothing(
        neckline=rng.uniform(-0.162, -0.138),
        depth=rng.uniform(0.008, 0.035) if rng.random() < 0.7 else rng.uniform(0.04, 0.08),
        width=rng.uniform(0.032, 0.060),
        colour=_cloth(rng),
        second=_cloth(rng),
        rows=rng.uniform(25, 90) if striped or checked else 0.0,
        columns=rng.uniform(25, 80) if checked or rng.random() < 0.05 else 0.0,
        share=rng.uniform(0.2, 0.6),
        phase=rng.uniform(0, 6),
        collar=rng.uniform(0.6, 1.4) if rng.random() < 0.6 else 1.0,
    )


def _cloth(rng: np.random.Generator) -> Colour:
    colour = np.exp(rng.uniform(np.log(0.015), np.log(0.7))) * rng.uniform(0.4, 1.6, 3)
    r, g, b = np.clip(colour * 0.6 + colour.mean() * 0.4, 0.008, 0.8)
    return float(r), float(g), float(b)


@dataclass(frozen=True)
class Glasses:
    """Spectacles.

    Attributes:
        width, height: of one lens, metres.
        square: 2 is an ellipse, larger is more of a rectangle.
        rim: thickness, metres.
        colour: of the frame, linear reflectance.
        tint: of the lenses, 0 clear to 1 black.
        glare: strength of the reflection in them.
        drop: height of the lenses' middle below the eyes, metres.
        rimless_below: half rims only.
    """

    width: float
    height: float
    square: float
    rim: float
    colour: Colour
    tint: float
    glare: float
    drop: float
    rimless_below: bool


def sample_glasses(rng: np.random.Generator) -> Glasses:
    """Random spectacles, now and then tinted, never black."""
    dark = rng.random() < 0.6
    r, g, b = rng.uniform(0.01, 0.03, 3) if dark else rng.uniform(0.03, 0.35, 3)
    return Glasses(
        width=rng.uniform(0.046, 0.054),
        height=rng.uniform(0.030, 0.044),
        square=rng.uniform(2.0, 4.5),
        rim=rng.uniform(0.0011, 0.0030),
        colour=(float(r), float(g), float(b)),
        tint=rng.uniform(0.15, 0.45) if rng.random() < 0.06 else rng.uniform(0.0, 0.08),
        glare=rng.uniform(0.0, 0.04) if rng.random() < 0.85 else rng.uniform(0.04, 0.16),
        drop=rng.uniform(0.002, 0.007),
        rimless_below=bool(rng.random() < 0.15),
    )


@dataclass(frozen=True)
class Hat:
    """A hat pulled over the skull.

    Attributes:
        kind: ``beanie`` or ``cap``.
        line: height of its edge over the forehead, metres above the eyes.
        thickness: metres off the skin.
        colour: linear reflectance.
        brim: length of a cap's brim, metres.
    """

    kind: str
    line: float
    thickness: float
    colour: Colour
    brim: float = 0.0


def sample_hat(rng: np.random.Generator) -> Hat:
    """A random hat."""
    if rng.random() < 0.5:
        return Hat("beanie", rng.uniform(0.040, 0.056), rng.uniform(0.008, 0.014), _cloth(rng))
    return Hat(
        "cap", rng.uniform(0.046, 0.058), rng.uniform(0.008, 0.013), _cloth(rng), rng.uniform(0.05, 0.07)
    )


@dataclass(frozen=True)
class MaskLook:
    """A rigid mask with the rendered person's face, worn by somebody else.

    Attributes:
        kind: ``resin``, ``silicone``, ``paper`` or ``plastic``.
        blur: of the printed face, texels.
        saturation, gamma, cast: change of its colours.
        levels: number of tones per channel, 0 for all.
        gloss, roughness: of its surface.
        relief: share of the skin's fine relief that it keeps.
        scatter: share of the skin's scattering that it keeps.
        hole: half width and half height of the eye holes, metres.
        rim: brightness of the holes' edge.
        wearer: linear reflectance of the wearer's skin.
        iris: the wearer's, as ``Identity.iris``; None keeps the person's.
        front: it covers the face alone, and shows its edge, instead of the whole head.
    """

    kind: str
    blur: float
    saturation: float
    gamma: float
    cast: Colour
    levels: int
    gloss: float
    roughness: float
    relief: float
    scatter: float
    hole: tuple[float, float]
    rim: float
    wearer: Colour
    iris: tuple[float, ...] | None = None
    front: bool = False


# kind: blur, gloss, roughness, relief, scatter
MASKS: dict[str, tuple[float, float, float, float, float]] = {
    "resin": (1.5, 1.2, 0.30, 0.15, 0.15),
    "silicone": (0.8, 0.7, 0.42, 0.50, 0.70),
    "paper": (1.1, 0.25, 0.65, 0.05, 0.10),
    "plastic": (2.0, 1.6, 0.24, 0.10, 0.15),
}


def sample_mask(rng: np.random.Generator, wearer: Array, iris: Array | None = None) -> MaskLook:
    """A random mask.

    Args:
        rng: source of chance.
        wearer: (3,) reflectance of the wearer's skin, as ``Skin.cheek``.
        iris: the wearer's.
    """
    kind = str(rng.choice(list(MASKS)))
    blur, gloss, roughness, relief, scatter = MASKS[kind]
    r, g, b = np.exp(rng.normal(0, 0.05, 3))
    skin = tuple(float(v) for v in wearer)
    return MaskLook(
        kind=kind,
        blur=blur * rng.uniform(0.7, 1.3),
        saturation=rng.uniform(0.55, 1.15),
        gamma=rng.uniform(0.85, 1.15),
        cast=(float(r), float(g), float(b)),
        levels=int(rng.integers(16, 48)) if kind in ("resin", "plastic") else 0,
        gloss=gloss * rng.uniform(0.7, 1.2),
        roughness=roughness,
        relief=relief,
        scatter=scatter,
        hole=(rng.uniform(0.0160, 0.0205), rng.uniform(0.0072, 0.0105)),
        rim=rng.uniform(0.35, 1.2),
        wearer=(skin[0], skin[1], skin[2]),
        iris=None if iris is None else tuple(float(v) for v in iris),
        front=bool(rng.random() < 0.5),
    )

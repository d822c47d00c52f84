"""Trainings that leave something out, to be judged on what was left out.

A score on a rendered set's own simulation says little: the network may have learnt the simulation. So one attack species,
all faces, or a part of the simulation (a halftone, a display, a camera) is kept from training, and only then met.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies, Split, Task
from facegate.datasets.batches import Crops, crops_of
from facegate.datasets.modules import CropModule
from facegate.datasets.pack import Pack
from facegate.errors import PackError
from facegate.models.spoof.module import SpoofModule
from facegate.params import Params
from facegate.training.callbacks import Progress
from facegate.training.material import Material, assemble
from facegate.training.run import run

EPOCHS = 3
"""Parts in which a shortened run is made; validation comes after each."""


class Kind(NamedTuple):
    """One thing to hold out.

    Attributes:
        name: of the kind.
        column: ``species``, ``camera`` or ``variant``.
        values: of that column.
    """

    name: str
    column: str
    values: tuple[str, ...]

    def holds(self, columns: Mapping[str, NDArray[np.str_]]) -> NDArray[np.bool_]:
        """Which rows are of this kind, shape (n,), of columns as :func:`held_columns` gives them."""
        return np.isin(columns[self.column], self.values)


@dataclass(frozen=True)
class Arm:
    """One training and what it does without.

    Attributes:
        protocol: ``reference``, ``species``, ``content`` or ``simulation``.
        name: names the arm within its protocol.
        held: what training does not see; a picture of any of these kinds is left out.
        faces: whether it trains on faces at all; otherwise on other content alone.
    """

    protocol: str
    name: str
    held: tuple[Kind, ...] = ()
    faces: bool = True

    @property
    def title(self) -> str:
        """``protocol-name``, which names its files."""
        return f"{self.protocol}-{self.name}"

    def leaves_out(self, columns: Mapping[str, NDArray[np.str_]]) -> NDArray[np.bool_]:
        """Which rows it holds out, shape (n,), of columns as :func:`held_columns` gives them."""
        nothing = np.zeros(len(columns["species"]), bool)
        return np.logical_or.reduce([nothing, *(kind.holds(columns) for kind in self.held)])


LASER = Kind("laser", "variant", ("laser/clustered", "laser/line"))
INKJET = Kind("inkjet", "variant", ("inkjet/stochastic", "inkjet/ordered"))
PENTILE = Kind("pentile", "variant", ("display/pentile",))
RGB_ROWS = Kind("rgb_rows", "variant", ("display/rgb_rows",))
DOORCAM = Kind("doorcam", "camera", ("doorcam",))
PHONE_CAMERA = Kind("phone_camera", "camera", ("phone",))
"""Two kinds of halftone, of display and of camera; printers, panels and cameras by the names of ``recapture``."""

REFERENCE = Arm("reference", "all")
CONTENT = Arm("content", "no_faces", faces=False)
OTHER_SIMULATION = Arm("simulation", "other", (LASER, PENTILE, DOORCAM))
"""Another halftone, another display and another camera at once."""
SIMULATION = (
    OTHER_SIMULATION,
    *(
        Arm("simulation", kind.name, (kind,))
        for kind in (LASER, INKJET, PENTILE, RGB_ROWS, DOORCAM, PHONE_CAMERA)
    ),
)


def arms_of(pack: Pack) -> list[Arm]:
    """All arms for the species of a pack, the reference first."""
    species = sorted(set(pack.column("species").tolist()) - {AttackSpecies.BONA_FIDE.value})
    return [
        REFERENCE,
        CONTENT,
        *SIMULATION,
        *(Arm("species", name, (Kind(name, "species", (name,)),)) for name in species),
    ]


def held_columns(pack: Pack, rows: NDArray[np.intp]) -> dict[str, NDArray[np.str_]]:
    """Columns by which an arm can hold out, each of shape (n,).

    Raises:
        PackError: the pack does not say which simulation made a picture.
    """
    notes = [json.loads(text or "{}") for text in pack.column("attributes")[rows].tolist()]
    if any("variant" not in note for note in notes):
        raise PackError(
            f"{pack.path}: its pictures do not say which simulation made them",
            "use crops and content of the embedded data set",
        )
    found = {name: pack.column(name)[rows].astype(str) for name in ("species", "camera")}
    return found | {"variant": np.array([note["variant"] for note in notes], str)}


@dataclass(frozen=True)
class Lessons:
    """Training and validation faces, and content, with the columns to hold out by."""

    train: Crops
    validation: Crops
    content: Crops
    columns: Mapping[str, Mapping[str, NDArray[np.str_]]]
    digests: tuple[str, str]

    def without(self, arm: Arm) -> Material:
        """What an arm may see; content stands in the place of faces where it sees none.

        Raises:
            PackError: nothing is left of a part.
        """
        parts = {name: getattr(self, name) for name in self.columns}
        train, validation, content = (
            _kept(part, ~arm.leaves_out(self.columns[name]), name) for name, part in parts.items()
        )
        material = Material(
            Task.SPOOF, train, validation, self.digests[0], content=content, pool_digest=self.digests[1]
        )
        return material if arm.faces else replace(material, train=content, content=None)


def read_lessons(pack: Pack, pool: Pack, framing: bool = False) -> Lessons:
    """Read the training and validation faces of a crop pack, and the content of a pool.

    Args:
        pack: the crops.
        pool: the content.
        framing: whether to read what surrounds the training crops and the content in their place.

    Raises:
        PackError: a split is empty, or a pack does not name its simulation or lacks what surrounds its crops.
    """
    rows = {
        "train": (pack, np.flatnonzero(pack.column("split") == Split.TRAIN)),
        "validation": (pack, np.flatnonzero(pack.column("split") == Split.VAL)),
        "content": (pool, np.arange(len(pool))),
    }
    return Lessons(
        **{
            name: replace(_crops(*part, name, framing and name != "validation"), faces=name != "content")
            for name, part in rows.items()
        },
        columns={name: held_columns(*part) for name, part in rows.items()},
        digests=(pack.digest, pool.digest),
    )


def train_arm(arm: Arm, lessons: Lessons, params: Params, steps: int) -> SpoofModule:
    """Train the recipe of `params.spoof` on what an arm leaves, for a number of steps that all arms share.

    The last weights are kept: no epoch is chosen, so nothing is learnt from the validation people.

    Args:
        arm: what to do without.
        lessons: what there is.
        params: recipe and trainer; `spoof.optim.epochs` is not used.
        steps: optimiser steps, rounded down to a multiple of :data:`EPOCHS`.

    Raises:
        PackError: what is left lacks bona fide pictures or attacks.
    """
    recipe = params.spoof.model_copy(
        update={
            "optim": params.spoof.optim.model_copy(update={"epochs": EPOCHS}),
            "content": params.spoof.content if arm.faces else None,
        }
    )
    torch.manual_seed(recipe.optim.seed)
    material = lessons.without(arm)
    material = material if recipe.content else replace(material, content=None)
    learner, data = assemble(material, params.model_copy(update={"spoof": recipe}))
    assert isinstance(learner, SpoofModule) and isinstance(data, CropModule)
    data.set_steps(max(1, steps // EPOCHS))
    run(learner, data, params.trainer, [Progress(arm.title)])
    return learner.eval()


def _crops(pack: Pack, rows: NDArray[np.intp], name: str, framing: bool) -> Crops:
    if not rows.size:
        raise PackError(
            f"{pack.path}: holds nothing for {name}", "add people, or raise its share in `data.split`"
        )
    return crops_of(pack, rows, framing)


def _kept(crops: Crops, keep: NDArray[np.bool_], name: str) -> Crops:
    if not keep.any():
        raise PackError(f"nothing is left of {name}", "hold out less")
    around = [crops.around[row] for row in np.flatnonzero(keep).tolist()] if crops.around else ()
    images = crops.images[keep] if len(crops.images) else crops.images
    return replace(
        crops, images=images, subjects=crops.subjects[keep], species=crops.species[keep], around=around
    )

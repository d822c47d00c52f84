"""Which group a sample belongs to, for every column that rates are sliced by."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegate.datasets.pack import Pack
from facegate.metrics.slices import UNKNOWN, band, skin_tone

Labels = NDArray[np.str_]
MIXED = "mixed"
DEMOGRAPHIC = ("sex", "age", "skin_tone", "Male", "Young")
"""Groups of people, to which the rule of NIST SP 800-63A-4 applies; the others are conditions."""

MOST_GROUPS = 24
"""An attribute with more values names its pictures and does not group them."""


def sample_groups(pack: Pack) -> dict[str, Labels]:
    """Group labels of every row of a pack, for each column that the pack fills.

    Age, skin tone and pose come in bands. What a set says of its pictures beyond the columns (CelebA's 40
    attributes, the environment, the simulation) is a column each. A row that lacks a value is ``unknown``; a column
    that no row fills, or that puts all rows into one group, is left out, and so is an attribute that says again what a
    column says (CelebA's ``Male``).
    """
    columns = {name: make(pack.column(column)) for name, (column, make) in _COLUMNS.items()}
    attributes = {
        name: labels
        for name, labels in _attributes(pack.column("attributes")).items()
        if not any(_same_groups(labels, known) for known in columns.values())
    }
    made = attributes | columns
    return {name: labels for name, labels in made.items() if len(set(labels.tolist()) - {UNKNOWN}) > 1}


def pair_groups(labels: Labels, probe: NDArray[np.intp], reference: NDArray[np.intp]) -> Labels:
    """Group of each comparison: that of its two samples if they share one, else ``mixed``."""
    return np.where(labels[probe] == labels[reference], labels[probe], MIXED)


def _same_groups(one: Labels, other: Labels) -> bool:
    """Whether two columns group the rows alike, whatever they call the groups."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def _attributes(texts: ArrayLike) -> dict[str, Labels]:
    """Labels by attribute, of those that put pictures into a few groups: words, and yes or no."""
    rows = [json.loads(text) if text else {} for text in np.asarray(texts).tolist()]
    found: dict[str, Labels] = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        if all(value is None or isinstance(value, bool | str) for value in values):
            words = [{None: UNKNOWN, True: "yes", False: "no"}.get(value, value) for value in values]
            if len(set(words)) <= MOST_GROUPS:
                found[name] = np.array(words)
    return found


def _text(values: ArrayLike) -> Labels:
    return np.array([UNKNOWN if _absent(value) else str(value) for value in np.asarray(values)])


def _yes_no(yes: str, no: str) -> Callable[[ArrayLike], Labels]:
    def label(values: ArrayLike) -> Labels:
        return np.array([UNKNOWN if _absent(v) else yes if v else no for v in np.asarray(values)])

    return label


def _absent(value: Any) -> bool:
    return value is None or value != value


def _age(values: ArrayLike) -> Labels:
    return band(values, (30, 45, 60), " years")


def _pose(values: ArrayLike) -> Labels:
    return band(np.abs(np.asarray(values, float)), (10, 20, 30), "° yaw")


_COLUMNS: Mapping[str, tuple[str, Callable[[ArrayLike], Labels]]] = {
    "sex": ("sex", _text),
    "age": ("age", _age),
    "skin_tone": ("ita", skin_tone),
    "pose": ("yaw", _pose),
    "glasses": ("glasses", _yes_no("glasses", "no glasses")),
    "light": ("illumination", _text),
    "camera": ("camera", _text),
    "border": ("border_visible", _yes_no("border in view", "no border in view")),
}

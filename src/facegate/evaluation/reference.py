"""How live test people's faces lay when a model was measured, so that a service can tell when its cameras show others."""

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from facegate.contracts import AttackSpecies, Distribution, Split, Task
from facegate.datasets.pack import Pack
from facegate.evaluation.tables import presentations
from facegate.faces.align import TEMPLATE_112
from facegate.faces.detect import Face
from facegate.faces.quality import assess

QUANTILES = 101
DIGITS = 6
MOST_CROPS = 1000
_ALIGNED = Face(np.array([0, 0, 112, 112], np.float32), TEMPLATE_112, 1.0)


def distribution(values: ArrayLike) -> Distribution:
    """Quantiles of some values, shape (n,), n ≥ 1."""
    values = np.asarray(values, np.float64)
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES)).round(DIGITS)
    return Distribution(quantiles=tuple(quantiles.tolist()), samples=len(values))


def measured(task: Task, table: pa.Table, pack: Pack) -> dict[str, Distribution]:
    """What the contract of a model tells of live test people.

    Args:
        task: recognition gives sharpness and brightness of the faces, spoof detection its score; nothing for other tasks. A
            match score is left out: the best of a gallery is not one comparison. So is the length of embeddings: it is one.
        table: score table of the model.
        pack: the crops behind it.
    """
    if task is Task.SPOOF:
        shown = presentations(table, Split.TEST)
        return {"spoof_score": distribution(shown.scores[shown.species == AttackSpecies.BONA_FIDE])}
    if task is Task.RECOGNITION:
        rows = np.flatnonzero(pack.column("split") == Split.TEST)
        spread = rows[:: -(-len(rows) // MOST_CROPS)]
        faces = [assess(crop, _ALIGNED, crop=crop) for crop in map(pack.image, spread.tolist())]
        return {
            "sharpness": distribution([face.sharpness for face in faces]),
            "brightness": distribution([face.brightness for face in faces]),
        }
    return {}

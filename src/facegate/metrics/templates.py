"""Templates of several pictures, computed from comparison scores alone.

The template of a person is the mean of the unit embeddings of some pictures, at unit length. Its cosine with a probe
follows from the cosines of the pictures: ``Σ s(probe, k) / sqrt(Σ s(k, l))`` over the pictures k, l of the template.
So a score table that holds every comparison is enough, and no model need run again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facegate.errors import NotMeasurableError

Index = NDArray[np.integer]


def template_scores(
    scores: NDArray[np.floating], probes: Index, templates: Sequence[Index]
) -> NDArray[np.float64]:
    """Cosine of probes with templates.

    Args:
        scores: cosines of all samples with each other, shape (s, s), 1 on the diagonal.
        probes: samples, shape (p,).
        templates: the samples of each template.

    Returns:
        Shape (p, len(templates)).

    Raises:
        NotMeasurableError: the pictures of a template cancel each other out.
    """
    columns = []
    for number, members in enumerate(templates):
        length = float(scores[np.ix_(members, members)].sum(dtype=np.float64))
        if length <= 0:
            raise NotMeasurableError(
                f"the pictures of template {number} cancel each other out", "enrol pictures of one person"
            )
        columns.append(scores[np.ix_(probes, members)].sum(axis=1, dtype=np.float64) / np.sqrt(length))
    return np.stack(columns, axis=1)

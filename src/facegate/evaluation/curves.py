"""Error rates over the threshold as a CSV file, for `dvc plots` and anybody's spreadsheet."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Split, Task
from facegate.evaluation.tables import comparisons, presentations
from facegate.metrics.pad import by_species, split_presentations
from facegate.metrics.verification import split_comparisons
from facegate.whole import whole_file

POINTS = 200


def write_curves(path: Path, task: Task, table: pa.Table) -> None:
    """Write ``threshold, fmr, fnmr`` or ``threshold, bpcer, worst_apcer, apcer_<species> …`` of the test split.

    Args:
        path: the ``.csv`` file.
        task: recognition, or one of attack detection.
        table: its score table.
    """
    accepted: dict[str, NDArray[np.floating]]
    if task is Task.RECOGNITION:
        test = comparisons(table, Split.TEST)
        genuine, impostor = split_comparisons(test.scores, test.mated)
        rejected, accepted = {"fnmr": genuine}, {"fmr": impostor}
    else:
        shown = presentations(table, Split.TEST)
        bona_fide, _ = split_presentations(shown.scores, shown.species)
        species = by_species(shown.scores, shown.species)
        rejected, accepted = (
            {"bpcer": bona_fide},
            {f"apcer_{name}": values for name, values in species.items()},
        )
    every = np.concatenate([*rejected.values(), *accepted.values()])
    at = np.unique(np.quantile(every, np.linspace(0, 1, POINTS)))
    columns = {"threshold": at}
    columns |= {name: np.searchsorted(np.sort(s), at, "left") / s.size for name, s in rejected.items()}
    rates = {name: 1 - np.searchsorted(np.sort(s), at, "left") / s.size for name, s in accepted.items()}
    if task is not Task.RECOGNITION:
        columns["worst_apcer"] = np.max(list(rates.values()), axis=0)
    columns |= rates
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([f"{value:.6g}" for value in row] for row in zip(*columns.values(), strict=True))

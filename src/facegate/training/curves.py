"""The curve of a run as a table and as a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from facegate.training.trials import Row, metric_label


def write_curves(folder: Path, rows: Sequence[Row], metric: str, best_epoch: int) -> None:
    """Write ``curves.csv`` and ``curves.png``; equal rows give equal bytes.

    Args:
        folder: where to.
        rows: one per epoch.
        metric: name of the validation metric.
        best_epoch: epoch whose weights were kept, counted from 1.
    """
    with (folder / "curves.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({name: f"{value:.8g}" for name, value in row.items()} for row in rows)
    draw_curves(rows, metric, best_epoch).savefig(folder / "curves.png", metadata={"Software": None})


def draw_curves(rows: Sequence[Row], metric: str, best_epoch: int) -> Figure:
    """Training loss above, validation metric below, over pictures seen."""
    figure = Figure(figsize=(7, 5), dpi=120, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    seen = [row["samples"] / 1000 for row in rows]
    above.plot(seen, [row["train_loss"] for row in rows], color="#555555")
    above.set_ylabel("training loss")
    below.plot(seen, [row[metric] for row in rows], color="#0b6e99", marker=".")
    best = rows[best_epoch - 1]
    below.plot(best["samples"] / 1000, best[metric], "o", color="#c8553d")
    below.annotate(
        f"kept: epoch {best_epoch}, {best[metric]:.4f}",
        (best["samples"] / 1000, best[metric]),
        xytext=(-8, 14),
        textcoords="offset points",
        ha="right" if best_epoch > len(rows) / 2 else "left",
    )
    below.set_ylabel(metric_label(metric))
    below.set_xlabel("training pictures seen, thousands")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure

"""Figures with their intervals, row by row: a forest plot, for whatever is no error rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.reporting.canvas import GREY, SERIES, canvas

Figures = Mapping[str, Mapping[str, Any]]
"""By name of the series, ``value``, ``low`` and ``high``; one without a ``value`` is not drawn."""


def forest(
    path: Path,
    title: str,
    rows: Mapping[str, Figures],
    label: str,
    ends: tuple[float, float],
    lines: tuple[float, ...],
    synthetic: bool,
) -> None:
    """Draw dots with intervals, the first row on top, the series of a row under each other.

    Args:
        path: the ``.png`` file.
        title: over the plot.
        rows: by name.
        label: of the axis.
        ends: of the axis.
        lines: values that are marked by dashed lines.
        synthetic: measured on rendered people.
    """
    series = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    height = 1.4 + len(rows) * (0.22 + 0.16 * len(series))
    with canvas(path, title, synthetic, (8.4, height)) as axes:
        for number, (name, colour) in enumerate(zip(series, SERIES, strict=False)):
            shift = 0.7 * ((number + 0.5) / len(series) - 0.5)
            drawn = [
                (place + shift, figures[name])
                for place, figures in enumerate(rows.values())
                if "value" in figures.get(name, {})
            ]
            at = [place for place, _ in drawn]
            low, value, high = ([figure[key] for _, figure in drawn] for key in ("low", "value", "high"))
            axes.hlines(at, low, high, color=colour, lw=2, alpha=0.45)
            axes.scatter(value, at, color=colour, s=24, zorder=3, label=name, clip_on=False)
        for line in lines:
            axes.axvline(line, color=GREY, ls="--", lw=1)
        axes.set(xlim=ends, ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), xlabel=label)
        axes.set_yticklabels([name.replace("_", " ") for name in rows])
        axes.grid(axis="y", visible=False)
        if any(series):
            axes.figure.legend(loc="outside lower left", ncols=len(series), fontsize=8)

"""The look that all plots share, and PNG files that come out the same byte for byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from facegate.whole import whole_file

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#2f6fb7", "#d9822b", "#3a8f5c", "#c0392b", "#7b5ea7", "#6b7280"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9ca3af",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.hashsalt": "facegate",
}


@contextmanager
def canvas(
    path: Path, title: str, synthetic: bool, size: tuple[float, float] = (7.2, 4.6), columns: int = 1
) -> Iterator[Any]:
    """A figure to draw on; the PNG appears at `path` when the block ends without an exception.

    Args:
        path: the ``.png`` file.
        title: put over the axes.
        synthetic: mark the figure as measured on rendered people.
        size: inches; a pixel is 1/110 inch.
        columns: axes side by side.

    Yields:
        The axes, or a list of them if there are several columns.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, columns, squeeze=False)[0]
        yield axes[0] if columns == 1 else list(axes)
        figure.suptitle(title, x=0.01, ha="left", weight="bold", size=12)
        if synthetic:
            figure.supxlabel("synthetic: measured on rendered people", x=0.99, ha="right", size=8, color=GREY)
        with whole_file(path) as draft:
            figure.savefig(draft, format="png", metadata={"Software": None})


def percent_axis(axes: Axes, which: str = "x") -> None:
    """Show an axis of rates in percent."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))

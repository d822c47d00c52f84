"""The pictures of an evaluation: each function draws one figure into one PNG file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from facegate.contracts import Rate
from facegate.metrics.verification import ErrorCurves, det_points
from facegate.reporting.canvas import BLUE, GREEN, GREY, RED, SERIES, canvas, percent_axis

_DEVIATE_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)


def det(
    path: Path,
    curves: Mapping[str, ErrorCurves],
    points: Mapping[str, tuple[float, float]],
    labels: tuple[str, str],
    synthetic: bool,
) -> None:
    """DET curves on normal-deviate axes (Martin et al., 1997); a lower left curve is better.

    Args:
        path: the ``.png`` file.
        curves: by name of the system.
        points: operating points as (false accepts, false rejects), measured on the test set.
        labels: of the two axes.
        synthetic: measured on rendered people.
    """
    with canvas(path, "Detection error trade-off", synthetic, (5.8, 5.4)) as axes:
        drawn = {name: det_points(curve) for name, curve in curves.items()}
        rates = np.concatenate([np.concatenate(pair) for pair in drawn.values()] or [np.array([])])
        lowest = max(1e-5, rates.min() / 1.5) if rates.size else 1e-3
        worst = max((max(pair) for pair in points.values()), default=0.0)
        low, high = ndtri(lowest), ndtri(min(0.995, max(0.6, worst + 0.005)))
        axes.plot([low, high], [low, high], color="#d1d5db", lw=1, ls="--", label="equal error rate")
        for colour, (name, (x, y)) in zip(SERIES, drawn.items(), strict=False):
            axes.plot(ndtri(x), ndtri(y), color=colour, lw=1.8, label=name)
        for name, (x, y) in points.items():
            if min(x, y) > 0:
                axes.plot(ndtri(x), ndtri(y), "o", color=RED, ms=5)
                axes.annotate(
                    name, (float(ndtri(x)), float(ndtri(y))), (6, 4), textcoords="offset points", size=8
                )
        ticks = [t for t in _DEVIATE_TICKS if t >= lowest and ndtri(t) <= high]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([float(ndtri(t)) for t in ticks], [f"{100 * t:g} %" for t in ticks])
        axes.tick_params(labelsize=8)
        axes.set(xlim=(low, high), ylim=(low, high), xlabel=labels[0], ylabel=labels[1], aspect="equal")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=3, fontsize=8)


def histograms(
    path: Path,
    groups: Mapping[str, ArrayLike],
    thresholds: Mapping[str, float],
    xlabel: str,
    synthetic: bool,
) -> None:
    """Distribution of the scores of each group, with thresholds; every group fills an area of one."""
    values = {name: np.asarray(scores, float) for name, scores in groups.items()}
    ends = np.concatenate(list(values.values()))
    edges = np.linspace(ends.min(), ends.max() + 1e-9, 61)
    with canvas(path, "Scores", synthetic) as axes:
        for colour, (name, scores) in zip(SERIES, values.items(), strict=False):
            label = f"{name} (n = {scores.size:,})"
            axes.hist(scores, edges, density=True, alpha=0.35, color=colour, label=label)
            axes.hist(scores, edges, density=True, histtype="step", color=colour, lw=1.4)
        _threshold_lines(axes, thresholds)
        axes.set(xlabel=xlabel, ylabel="density", yticks=[])
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14), ncols=3)


def species_bars(path: Path, apcer: Mapping[str, Rate], bpcer: Rate, point: str, synthetic: bool) -> None:
    """APCER of each species, worst on top, and BPCER under them, with intervals and counts."""
    ordered = sorted(apcer.items(), key=lambda item: (item[1].value or 0.0, item[0]))
    names = ["BPCER (bona fide refused)", *(f"APCER {name.replace('_', ' ')}" for name, _ in ordered)]
    rates = [bpcer, *(rate for _, rate in ordered)]
    colours = [GREEN] + [BLUE] * (len(ordered) - 1) + [RED]
    with canvas(
        path, f"Errors per attack species at {point}", synthetic, (7.2, 1.5 + 0.42 * len(rates))
    ) as axes:
        _bars(axes, names, rates, colours)
        axes.axhline(0.5, color="#d1d5db", lw=1)


def slices(
    path: Path, columns: Mapping[str, Mapping[str, Rate]], overall: float, metric: str, synthetic: bool
) -> None:
    """One error rate over the groups of every column; the dashed line is the rate over everybody."""
    rows = [
        (f"{column}: {group}", rate) for column, groups in columns.items() for group, rate in groups.items()
    ]
    rows.reverse()
    palette = dict(zip(columns, SERIES * len(columns), strict=False))
    colours = [palette[name.split(":")[0]] for name, _ in rows]
    with canvas(path, f"{metric} by group", synthetic, (7.2, 1.3 + 0.3 * len(rows))) as axes:
        _bars(
            axes, [name.replace("_", " ") for name, _ in rows], [rate for _, rate in rows], colours, dots=True
        )
        axes.axvline(overall, color=GREY, ls="--", lw=1)


def reliability(
    path: Path,
    maps: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    synthetic: bool,
) -> None:
    """Stated against seen probability at equal priors; on the diagonal the log-likelihood ratios can be believed.

    Args:
        path: the ``.png`` file.
        maps: by name, mean stated posterior and share seen, per bin.
        synthetic: measured on rendered people.
    """
    with canvas(path, "Reliability of the calibrated score", synthetic, (5.4, 5.0)) as axes:
        axes.plot([0, 1], [0, 1], color="#d1d5db", ls="--", lw=1)
        for colour, (name, (stated, seen)) in zip(SERIES, maps.items(), strict=False):
            axes.plot(stated, seen, "o-", color=colour, ms=5, lw=1.4, label=name)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="stated", ylabel="seen", aspect="equal")
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.legend(loc="upper left")


def robustness(
    path: Path,
    curves: Mapping[str, Sequence[Mapping[str, object]]],
    metrics: tuple[str, str],
    synthetic: bool,
) -> None:
    """Two error rates over the strength of each corruption, thresholds held.

    Args:
        path: the ``.png`` file.
        curves: per corruption, points of ``strength`` and of both rates, as ``Rate`` dumps.
        metrics: keys of the two rates.
        synthetic: measured on rendered people.
    """
    with canvas(path, "As pictures get worse", synthetic, (9.0, 4.4), columns=2) as both:
        for axes, metric in zip(both, metrics, strict=True):
            for colour, (name, points) in zip(SERIES, curves.items(), strict=False):
                rates = [Rate.model_validate(point[metric]) for point in points]
                strength = [float(str(point["strength"])) for point in points]
                value = [np.nan if rate.value is None else rate.value for rate in rates]
                axes.plot(strength, value, "o-", color=colour, ms=4, lw=1.5, label=name)
                axes.fill_between(
                    strength, [r.low for r in rates], [r.high for r in rates], color=colour, alpha=0.08
                )
            axes.set(xlabel="strength", title=metric.upper())
            axes.set_ylim(bottom=0, top=min(1.02, max(0.05, axes.get_ylim()[1])))
            percent_axis(axes, "y")
        both[0].figure.legend(
            *both[0].get_legend_handles_labels(), loc="outside lower left", ncols=6, fontsize=8
        )


def turning(
    path: Path, bands: Sequence[Mapping[str, object]], metrics: tuple[str, str], synthetic: bool
) -> None:
    """Two error rates over the angle of the head, with intervals; bands without a trial are left out.

    Args:
        path: the ``.png`` file.
        bands: each with ``low`` and ``high`` in degrees and both rates, as ``Rate`` dumps.
        metrics: keys of the two rates.
        synthetic: measured on rendered people.
    """
    ticks = [float(str(band["low"])) for band in bands] + [float(str(bands[-1]["high"]))]
    with canvas(path, "As heads turn away", synthetic, (9.0, 3.8), columns=2) as both:
        for axes, metric in zip(both, metrics, strict=True):
            rates = [Rate.model_validate(band[metric]) for band in bands]
            known = [k for k, rate in enumerate(rates) if rate.value is not None]
            value = np.array([rates[k].value for k in known], float)
            low, high = (np.array([getattr(rates[k], side) for k in known]) for side in ("low", "high"))
            at = np.array([(ticks[k] + ticks[k + 1]) / 2 for k in known])
            axes.errorbar(
                at, value, [value - low, high - value], color=BLUE, marker="o", ms=5, lw=1.6, capsize=3
            )
            for x, y, k in zip(at, high, known, strict=True):
                count = f"n = {rates[k].trials:,}"
                axes.annotate(
                    count, (x, y), (0, 3), textcoords="offset points", ha="center", size=7, color=GREY
                )
            axes.set(
                title=metric.upper(), xlabel="degrees away from the camera", xlim=(0, ticks[-1]), xticks=ticks
            )
            axes.set_ylim(0, max(0.01, float(high.max()) * 1.12) if known else 1)
            percent_axis(axes, "y")


def _bars(
    axes: Axes, names: Sequence[str], rates: Sequence[Rate], colours: Sequence[str], dots: bool = False
) -> None:
    at = np.arange(len(names))
    value = np.array([np.nan if rate.value is None else rate.value for rate in rates])
    low, high = np.array([rate.low for rate in rates]), np.array([rate.high for rate in rates])
    spread = np.abs(np.vstack([value - low, high - value]))
    if dots:
        axes.scatter(value, at, c=list(colours), s=26, zorder=3, clip_on=False)
        axes.hlines(at, low, high, colors=list(colours), lw=2, alpha=0.45)
    else:
        axes.barh(at, value, color=list(colours), height=0.6, alpha=0.75)
        axes.errorbar(value, at, xerr=spread, fmt="none", ecolor="#374151", capsize=3, lw=1.2)
    # Groups of few trials have intervals up to 100 %; they may run out of the picture.
    widest = min(float(np.nanmax(high)), 3 * float(np.nanmax(value))) if dots else float(np.nanmax(high))
    right = max(0.05, widest) * 1.02
    for y, rate in zip(at, rates, strict=True):
        axes.annotate(
            f"{rate.errors:,} / {rate.trials:,}",
            (1.02, float(y)),
            xycoords=("axes fraction", "data"),
            va="center",
            size=8,
            color=GREY,
            annotation_clip=False,
        )
    axes.set(yticks=at, xlim=(0, min(1.0, right)), ylim=(-0.6, len(names) - 0.4))
    axes.set_yticklabels(names)
    axes.grid(axis="y", visible=False)
    percent_axis(axes)


def _threshold_lines(axes: Axes, thresholds: Mapping[str, float]) -> None:
    for number, (name, threshold) in enumerate(sorted(thresholds.items(), key=lambda item: item[1])):
        axes.axvline(threshold, color=GREY, lw=1, ls=":")
        axes.annotate(
            name,
            (threshold, 1 - 0.06 * (number % 3)),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            size=8,
            va="top",
            color="#374151",
        )

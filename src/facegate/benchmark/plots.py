"""Plots of a benchmark: how times scatter, where they go, and what accuracy they buy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facegate.benchmark.timing import Seconds
from facegate.reporting.canvas import BLUE, GREY, SERIES, canvas


def latency_distributions(path: Path, times: Mapping[str, Seconds], title: str) -> None:
    """Cumulative distribution of each variant's times.

    Args:
        path: the PNG.
        times: seconds by round, by variant.
        title: what was timed, and where.
    """
    with canvas(path, title, synthetic=False) as axes:
        for colour, (name, seconds) in zip(_colours(len(times)), times.items(), strict=True):
            ordered = np.sort(seconds) * 1e3
            share = np.arange(1, len(ordered) + 1) / len(ordered)
            axes.plot(
                ordered, share, color=colour, lw=1.8, label=f"{name}: median {np.median(ordered):.2f} ms"
            )
            axes.axvline(float(np.median(ordered)), color=colour, lw=0.8, ls=":")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(_few_minor)
        axes.set_xlabel("milliseconds for one picture")
        axes.set_ylabel("share of runs that took at most this")
        axes.legend(loc="lower right")


def slowest_layers(path: Path, layers: list[dict[str, Any]], title: str) -> None:
    """Bars of the operators that take most time.

    Args:
        path: the PNG.
        layers: see :func:`facegate.benchmark.layers.profile_layers`.
        title: of which variant.
    """
    names = [f"{layer['node'].split('_token_')[0]}  ({layer['operator']})" for layer in layers]
    with canvas(path, title, synthetic=False, size=(7.2, 0.8 + 0.32 * len(layers))) as axes:
        places = np.arange(len(layers))[::-1]
        axes.barh(places, [layer["us"] for layer in layers], color=BLUE, height=0.7)
        for place, layer in zip(places, layers, strict=True):
            axes.text(layer["us"], place, f" {100 * layer['share']:.0f} %", va="center", size=8, color=GREY)
        axes.set_yticks(places, names, size=8)
        axes.set_xlabel("microseconds (median, one thread)")
        axes.grid(False, axis="y")


def accuracy_against_latency(
    path: Path, points: Mapping[str, tuple[float, float]], measure: str, title: str, synthetic: bool
) -> None:
    """One point a model: the nearer to the lower left, the better.

    Args:
        path: the PNG.
        points: (milliseconds, error rate 0 to 1) by model.
        measure: which error rate.
        title: over the axes.
        synthetic: the error rates come from rendered people.
    """
    with canvas(path, title, synthetic) as axes:
        ordered = sorted(points.items(), key=lambda point: point[1])
        for place, (name, (latency, error)) in enumerate(ordered):
            axes.scatter([latency], [100 * error], s=60, color=_colours(len(points))[place], zorder=3)
            above = (0, 9) if place % 2 == 0 else (0, -17)
            axes.annotate(
                f"{name}: {latency:.2f} ms",
                (latency, 100 * error),
                xytext=above,
                textcoords="offset points",
                size=9,
                ha="center",
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(_few_minor)
        axes.margins(0.25)
        axes.set_ylim(0, 125 * max(error for _, error in points.values()) or 1)
        axes.set_xlabel("milliseconds for one picture (median)")
        axes.set_ylabel(f"{measure}, %")


def step_bars(path: Path, steps: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Stacked bars of the steps of a frame, one bar for each number of faces.

    Args:
        path: the PNG.
        steps: milliseconds by step, by number of faces.
        title: over the axes.
    """
    with canvas(path, title, synthetic=False) as axes:
        left = np.zeros(len(steps))
        names = list(next(iter(steps.values())))
        for colour, step in zip(_colours(len(names)), names, strict=True):
            values = np.array([by_step[step] for by_step in steps.values()])
            axes.barh(range(len(steps)), values, left=left, color=colour, label=step, height=0.65)
            left += values
        axes.set_yticks(range(len(steps)), [f"{n} face{'' if n == '1' else 's'}" for n in steps])
        axes.set_xlabel("milliseconds for one frame (median of each step)")
        axes.grid(False, axis="y")
        axes.legend(loc="lower right")


def _few_minor(value: float, _: object) -> str:
    """Label of a minor tick of a logarithmic axis: 2 and 5 of each decade."""
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def _colours(count: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(count)]

"""Blinks of eye score tables: how many happened, how many were found, at several frame rates.

A blink is true where the lids closed by half and more between two frames with open eyes; one that is cut off by the
end of the clip, or never opens fully, is neither asked for nor held against the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.errors import NotMeasurableError
from facegate.evaluation.eye_scores import CLOSED, OPEN, Eyes
from facegate.faces.blink import BlinkParams, find_blinks
from facegate.metrics.bootstrap import Resamples
from facegate.metrics.events import Matches, Span, f1, f1_interval, match_events
from facegate.params import EvaluateParams

HALF = 0.5
RATES: Mapping[str, tuple[int, float]] = {
    "as filmed": (1, 0.0),
    "half the rate": (2, 0.0),
    "a quarter lost": (1, 0.25),
}
"""Every so-manieth frame, and share of frames lost at random."""


def true_blinks(times: NDArray[np.floating], closure: NDArray[np.floating]) -> tuple[list[Span], list[Span]]:
    """Blinks of a clip by its true closure, and closures that are no whole blink.

    Args:
        times: of the frames, ascending, seconds.
        closure: of each, 0 open to 1 closed.
    """
    shut = np.concatenate([[False], closure >= HALF, [False]])
    edges = np.flatnonzero(np.diff(shut.astype(int)))
    whole: list[Span] = []
    unsure: list[Span] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        before, after = closure[:start], closure[stop:]
        complete = (before <= OPEN).any() and (after <= OPEN).any() and closure[start:stop].max() >= CLOSED
        (whole if complete else unsure).append((float(times[start]), float(times[stop - 1])))
    return whole, unsure


def evaluate_blinks(
    draws: Resamples, test: Eyes, limits: BlinkParams, params: EvaluateParams
) -> dict[str, Any]:
    """F1 of blinks: at every frame rate clean and hard, and by species as filmed under ``hard``."""
    clips = list(_clips(test))
    found: dict[str, Any] = {"close": limits.close, "open": limits.open, "clips": len(clips)}
    for name, (step, lost) in RATES.items():
        for kind, scores in (("clean", test.scores), ("hard", test.hard)):
            found.setdefault(name, {})[kind] = _f1(draws, test, clips, scores, (step, lost), limits, params)
    by_species = {
        str(name): [rows for rows in clips if test.species[rows[0]] == name]
        for name in sorted(set(test.species))
    }
    found["by_species"] = {
        name: _f1(draws, test, rows, test.hard, (1, 0.0), limits, params)
        for name, rows in by_species.items()
        if rows
    }
    return found


def _clips(test: Eyes) -> Iterator[NDArray[np.intp]]:
    """Rows of each clip, in the order of time."""
    names = np.array(["" if clip is None else str(clip) for clip in test.clips])
    for name in sorted(set(names) - {""}):
        rows = np.flatnonzero(names == name)
        yield rows[np.argsort(test.times[rows])]


def _f1(
    draws: Resamples,
    test: Eyes,
    clips: Sequence[NDArray[np.intp]],
    scores: NDArray[np.float32],
    rate: tuple[int, float],
    limits: BlinkParams,
    params: EvaluateParams,
) -> dict[str, Any]:
    step, lost = rate
    matches: list[Matches] = []
    for number, rows in enumerate(clips):
        true, unsure = true_blinks(test.times[rows], test.closure[rows])
        rng = np.random.default_rng([params.seed, number])
        seen = rows[::step]
        seen = seen[rng.random(seen.size) >= lost] if lost else seen
        pairs = zip(test.times[seen].tolist(), scores[seen].tolist(), strict=True)
        gap = float(np.median(np.diff(test.times[rows]))) * step if rows.size > 1 else 0.0
        matches.append(match_events(true, [tuple(b) for b in find_blinks(pairs, limits)], unsure, gap))
    hits, false, missed = (sum(column) for column in zip(*matches, strict=True)) if matches else (0, 0, 0)
    result: dict[str, Any] = {"hits": hits, "false": false, "missed": missed, "clips": len(clips)}
    value = float(f1(hits, false, missed))
    if np.isnan(value):
        return result | {"note": "no blink happened and none was found"}
    try:
        low, high = f1_interval(draws, matches, test.subjects[[rows[0] for rows in clips]], params.confidence)
    except NotMeasurableError:
        low, high = 0.0, 1.0
    return result | {"value": value, "low": low, "high": high}

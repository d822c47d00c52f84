"""Blinks of eye score tables: how many happened, how many were found, at several frame rates.

A blink is true where the lids closed by half and more between two frames with open eyes, however often they rose a little in
between; one that is cut off by the end of the clip, or never opens fully, is neither asked for nor held against the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.errors import NotMeasurableError
from facegate.evaluation.eye_scores import CLOSED, OPEN, Eyes
from facegate.faces.blink import BlinkParams, find_blinks, watch
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
    shut, opened_before = np.flatnonzero(closure >= HALF), np.cumsum(closure <= OPEN)
    whole: list[Span] = []
    unsure: list[Span] = []
    for number in np.unique(opened_before[shut]):
        frames = shut[opened_before[shut] == number]
        start, stop = int(frames[0]), int(frames[-1]) + 1
        before, after = closure[:start], closure[stop:]
        complete = (before <= OPEN).any() and (after <= OPEN).any() and closure[start:stop].max() >= CLOSED
        (whole if complete else unsure).append((float(times[start]), float(times[stop - 1])))
    return whole, unsure


CLOSE, OPENED = 0.2, 0.5
"""Places of the two thresholds, on the way from the median share of closed eyes to that of open ones. A search for the
best F1 says less: among the few blinks of a validation split many pairs are equally good."""


def choose_thresholds(val: Eyes) -> tuple[BlinkParams, Matches]:
    """The two thresholds of the state machine, from the validation clips, clean and hard together.

    A single frame's threshold is a poor one for blinks: eyes that are half open do not blink.

    Returns:
        The thresholds, and what they find.

    Raises:
        NotMeasurableError: no validation clip holds a blink.
    """
    clips = list(_clips(val))
    if not any(true_blinks(val.times[rows], val.closure[rows])[0] for rows in clips):
        raise NotMeasurableError("no validation clip holds a blink", "raise `data.synthetic.clip_people`")
    shares = np.concatenate(
        [_shares(val, rows, scores) for scores in (val.scores, val.hard) for rows in clips]
    )
    closure = np.tile(np.concatenate([val.closure[rows] for rows in clips]), 2)
    shut, opened = (float(np.median(shares[those])) for those in (closure >= CLOSED, closure <= OPEN))
    way = max(0.0, opened - shut)
    limits = BlinkParams(close=shut + CLOSE * way, open=shut + OPENED * way)
    return limits, _total(
        [m for scores in (val.scores, val.hard) for m in _matches(val, clips, scores, (1, 0.0), limits, 0)]
    )


def _shares(part: Eyes, rows: NDArray[np.intp], scores: NDArray[np.float32]) -> list[float]:
    """Scores of a clip as the state machine compares them."""
    return [state.share for state, _ in watch(_frames(part, rows, scores))]


def _frames(part: Eyes, rows: NDArray[np.intp], scores: NDArray[np.float32]) -> Iterator[tuple[float, float]]:
    """Time and score of each frame."""
    return zip(part.times[rows].tolist(), scores[rows].tolist(), strict=True)


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
    matches = _matches(test, clips, scores, rate, limits, params.seed)
    hits, false, missed = _total(matches)
    result: dict[str, Any] = {"hits": hits, "false": false, "missed": missed, "clips": len(clips)}
    value = float(f1(hits, false, missed))
    if np.isnan(value):
        return result | {"note": "no blink happened and none was found"}
    try:
        low, high = f1_interval(draws, matches, test.subjects[[rows[0] for rows in clips]], params.confidence)
    except NotMeasurableError:
        low, high = 0.0, 1.0
    return result | {"value": value, "low": low, "high": high}


def _matches(
    part: Eyes,
    clips: Sequence[NDArray[np.intp]],
    scores: NDArray[np.float32],
    rate: tuple[int, float],
    limits: BlinkParams,
    seed: int,
) -> list[Matches]:
    """What is found in each clip."""
    step, lost = rate
    matches: list[Matches] = []
    for number, rows in enumerate(clips):
        true, unsure = true_blinks(part.times[rows], part.closure[rows])
        seen = rows[::step]
        seen = seen[np.random.default_rng([seed, number]).random(seen.size) >= lost] if lost else seen
        blinks = find_blinks(_frames(part, seen, scores), limits)
        gap = float(np.median(np.diff(part.times[rows]))) * step if rows.size > 1 else 0.0
        matches.append(match_events(true, [(blink.start_s, blink.end_s) for blink in blinks], unsure, gap))
    return matches


def _total(matches: Sequence[Matches]) -> Matches:
    return Matches(*(sum(column) for column in zip(*matches, strict=True))) if matches else Matches(0, 0, 0)

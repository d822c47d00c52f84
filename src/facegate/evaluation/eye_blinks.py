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


SHARES = np.linspace(0.1, 0.9, 17)
"""Thresholds that are tried, as shares of the way from the median score of closed eyes to that of open ones."""
BAND = 4
"""Candidates from one threshold to the other at least, a fifth of that way: without a band between them a score that
trembles makes two blinks of one."""


def choose_thresholds(val: Eyes) -> tuple[BlinkParams, Matches]:
    """The two thresholds that find the blinks of the validation clips best, clean and hard together.

    A single frame's threshold is a poor one for blinks: a narrow eye that scores low throughout does not blink.
    Among equal pairs the middle one of the widest is taken, for it leaves most room for noise.

    Returns:
        The thresholds, and what they find.

    Raises:
        NotMeasurableError: no validation clip holds a blink.
    """
    clips = list(_clips(val))
    if not any(true_blinks(val.times[rows], val.closure[rows])[0] for rows in clips):
        raise NotMeasurableError("no validation clip holds a blink", "raise `data.synthetic.clip_people`")
    tried: list[tuple[float, float, BlinkParams, Matches]] = []
    candidates = _candidates(val)
    for place, close in enumerate(candidates):
        for opened in candidates[place + BAND :]:
            limits = BlinkParams(close=close, open=opened)
            found = [_matches(val, clips, scores, (1, 0.0), limits, 0) for scores in (val.scores, val.hard)]
            total = _total([m for matches in found for m in matches])
            tried.append((float(f1(*total)), round(opened - close, 3), limits, total))
    best = max((value, width) for value, width, *_ in tried)
    equal = [(limits, total) for value, width, limits, total in tried if (value, width) == best]
    return equal[len(equal) // 2]


def _candidates(val: Eyes) -> list[float]:
    scores, closure = np.concatenate([val.scores, val.hard]), np.tile(val.closure, 2)
    shut, opened = (float(np.median(scores[those])) for those in (closure >= CLOSED, closure <= OPEN))
    return (shut + SHARES * max(0.0, opened - shut)).tolist()


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
        pairs = zip(part.times[seen].tolist(), scores[seen].tolist(), strict=True)
        gap = float(np.median(np.diff(part.times[rows]))) * step if rows.size > 1 else 0.0
        matches.append(
            match_events(true, [(blink[0], blink[1]) for blink in find_blinks(pairs, limits)], unsure, gap)
        )
    return matches


def _total(matches: Sequence[Matches]) -> Matches:
    return Matches(*(sum(column) for column in zip(*matches, strict=True))) if matches else Matches(0, 0, 0)

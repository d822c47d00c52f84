"""Does the spoof score follow what says nothing about the medium: saturation, sharpness, brightness?

Between the classes such a cue may differ for good reason. *Within* bona fide presentations, and within attacks, a score that
rises with saturation judges colour. So the correlation is taken within each class.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Split
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.tables import Presentations
from facegate.metrics.bootstrap import Resamples, interval, resample
from facegate.metrics.correlation import resampled_spearman, spearman
from facegate.metrics.pad import BONA_FIDE
from facegate.params import EvaluateParams
from facegate.reporting.forest import forest

CUES = ("saturation", "sharpness", "brightness")
"""Mean HSV saturation; variance of the Laplacian in the middle three quarters, the medium branch's part; mean luma."""
WANTED = 0.2
"""A correlation should stay below this, in size."""


@functools.lru_cache(maxsize=1)
def cue_table(pack: Pack, split: Split) -> dict[str, NDArray[np.float32]]:
    """Values of :data:`CUES` of each crop of a split, by sample id."""
    rows = np.flatnonzero(pack.column("split") == split.value)
    return {str(pack.column("sample_id")[row]): picture_cues(pack.image(int(row))) for row in rows}


def picture_cues(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values of :data:`CUES` of one context crop (H, W, 3), shape (3,)."""
    height, width = crop.shape[:2]
    luma = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    middle = luma[height // 8 : height - height // 8, width // 8 : width - width // 8]
    saturation = cv2.cvtColor(crop, cv2.COLOR_RGB2HSV)[..., 1].mean()
    return np.array([saturation, cv2.Laplacian(middle, cv2.CV_32F).var(), luma.mean()], np.float32)


def cue_correlations(
    part: Presentations, cues: Mapping[str, NDArray[np.float32]], params: EvaluateParams
) -> dict[str, Any]:
    """Spearman's rho of the score with each cue, within bona fide presentations and within attacks.

    Args:
        part: scored presentations.
        cues: from :func:`cue_table`; must hold every sample.
        params: resamples, confidence and seed.

    Returns:
        ``{class: {cue: {"value", "low", "high", "presentations", "people"}, …}}``; intervals resample people.
        ``{"note": why not}`` stands for what cannot be measured.
    """
    values = np.array([cues[str(name)] for name in part.samples]).reshape(-1, len(CUES))
    live = part.species == BONA_FIDE
    return {
        name: {
            cue: _correlation(part.scores[rows], values[rows, k], part.subjects[rows], params)
            for k, cue in enumerate(CUES)
        }
        for name, rows in (("bona_fide", live), ("attack", ~live))
    }


def _correlation(
    scores: NDArray[np.float32], cue: NDArray[np.float32], subjects: NDArray[Any], params: EvaluateParams
) -> dict[str, Any]:
    try:
        draws: Resamples = resample(subjects, params.bootstrap, params.seed)
        value = spearman(scores, cue)
        samples = resampled_spearman(draws, scores, cue, subjects)
        low, high = interval(samples, draws.people.size, params.confidence)
    except NotMeasurableError as error:
        return {"note": f"not measured: {error.problem}"}
    return {
        "value": value,
        "low": max(low, -1.0),
        "high": min(high, 1.0),
        "presentations": int(scores.size),
        "people": int(draws.people.size),
    }


def cue_figure(path: Path, found: Mapping[str, Mapping[str, Mapping[str, Any]]], synthetic: bool) -> None:
    """Draw what :func:`cue_correlations` found, with the band in which it should lie."""
    groups = {
        f"{name.replace('_', ' ')}: {cue}": {"": figure}
        for name, cues in found.items()
        for cue, figure in cues.items()
    }
    bounds = [
        abs(f[end]) for row in groups.values() for f in row.values() for end in ("low", "high") if end in f
    ]
    widest = min(1.0, max([2 * WANTED, *bounds]) * 1.1)
    title = "Correlation of the score with cues, within each class"
    forest(path, title, groups, "Spearman's rho", (-widest, widest), (-WANTED, WANTED), synthetic)


def correlation(figure: Mapping[str, Any]) -> str:
    """A measured correlation with its interval, for reading."""
    return f"{figure['value']:+.2f} ({figure['low']:+.2f} to {figure['high']:+.2f})"


def counted(figure: Mapping[str, Any]) -> str:
    """What a correlation stands on."""
    return f"{figure['presentations']:,} of {figure['people']:,} people"

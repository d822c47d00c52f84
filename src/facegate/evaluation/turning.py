"""How errors grow as heads turn away: nothing is made worse here, turned heads are counted apart.

A crop cannot be turned afterwards, so the curve is made of pictures whose angle is known: from the data set where it
says so, else measured from the five landmarks (good to some ten degrees).
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.datasets.pack import Pack
from facegate.evaluation.tables import Comparisons, Presentations
from facegate.faces.pose import pose
from facegate.metrics.bootstrap import Resamples, bootstrap_rates, resample
from facegate.metrics.pad import BONA_FIDE
from facegate.params import EvaluateParams

EDGES = (0.0, 10.0, 20.0, 30.0, 45.0, 90.1)
"""Bands of the angle between the line of sight and the camera, degrees."""
TRUE, MEASURED = "of the data set", "measured from landmarks"


def angles(pack: Pack) -> tuple[dict[str, float], str]:
    """Degrees by which each sample looks past the camera, yaw and pitch taken together, and how they are known."""
    yaw, pitch = (np.asarray(pack.column(name), float) for name in ("yaw", "pitch"))
    how = TRUE
    if np.isnan(yaw).any():
        five = np.stack(pack.column("landmarks").tolist()).reshape(-1, 5, 2)
        turned = [pose(points) for points in five]
        yaw, pitch, how = (*(np.array([turn[k] for turn in turned]) for k in (0, 1)), MEASURED)
    pitch = np.nan_to_num(pitch)
    away = np.degrees(np.arccos(np.cos(np.radians(yaw)) * np.cos(np.radians(pitch))))
    return dict(zip(pack.column("sample_id").tolist(), away.tolist(), strict=True)), how


def recognition_turning(
    test: Comparisons, angle: Mapping[str, float], threshold: float, params: EvaluateParams
) -> list[dict[str, Any]]:
    """FNMR and FMR of pictures in each band against those in the first.

    Returns:
        Per band ``low``, ``high`` (degrees), ``fnmr`` and ``fmr``.
    """
    away = np.array([angle[name] for name in test.samples])
    first, second = away[test.probe], away[test.reference]
    frontal = np.minimum(first, second) < EDGES[1]
    band = np.digitize(np.maximum(first, second), EDGES) - 1
    errors = np.where(test.mated, test.scores < threshold, test.scores >= threshold)
    draws = resample(test.subjects, params.bootstrap, params.seed)
    sides = test.probe_subjects, test.reference_subjects
    kinds = {"fnmr": frontal & test.mated, "fmr": frontal & ~test.mated}
    return _bands(draws, errors, band, kinds, sides, params)


def spoof_turning(
    test: Presentations, angle: Mapping[str, float], threshold: float, params: EvaluateParams
) -> list[dict[str, Any]]:
    """BPCER, and APCER pooled over species, of presentations in each band; see :func:`recognition_turning`."""
    band = np.digitize([angle[name] for name in test.samples], EDGES) - 1
    live = test.species == BONA_FIDE
    errors = np.where(live, test.scores < threshold, test.scores >= threshold)
    draws = resample(test.subjects, params.bootstrap, params.seed)
    return _bands(
        draws, errors, band, {"bpcer": live, "apcer": ~live}, (test.subjects, test.subjects), params
    )


def _bands(
    draws: Resamples,
    errors: NDArray[np.bool_],
    band: NDArray[np.intp],
    kinds: Mapping[str, NDArray[np.bool_]],
    sides: tuple[NDArray[Any], NDArray[Any]],
    params: EvaluateParams,
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"low": low, "high": min(high, 90.0)} for low, high in pairwise(EDGES)]
    for name, rows in kinds.items():
        one, two = (side[rows] for side in sides)
        second = None if (one == two).all() else two
        rates = bootstrap_rates(draws, errors[rows], band[rows], len(found), one, second, params.confidence)
        for place, rate in zip(found, rates, strict=True):
            place[name] = rate
    return found

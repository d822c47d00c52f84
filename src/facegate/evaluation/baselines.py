"""What a result must beat: eigenfaces for recognition, trivial picture statistics for spoof.

A rendered data set can be won by accident: if blur and saturation alone tell an attack, a network proves nothing.
Both baselines learn on the training people and are measured on the very samples and comparisons of the model.
"""

from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from facegate.contracts import AttackSpecies, Rate, Split
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.numbers import plain
from facegate.evaluation.parallel import in_order
from facegate.evaluation.scores import compare_embeddings, rows_of
from facegate.evaluation.tables import Comparisons, comparisons
from facegate.metrics.bootstrap import resample
from facegate.metrics.eer_interval import eer_rate
from facegate.metrics.ranking import auc
from facegate.params import EvaluateParams
from facegate.synthesis.shortcuts import trivial_features

SIDE = 32
COMPONENTS = 64


def eigenfaces(pack: Pack, table: pa.Table, params: EvaluateParams) -> dict[str, Any]:
    """EER of eigenfaces (Turk and Pentland, 1991) on the test comparisons: grey, 32 × 32, cosine.

    Args:
        pack: the recognition crops.
        table: the comparison table; its test pairs are compared anew.
        params: resamples, confidence and seed.
    """
    train = _grey(pack, rows_of(pack, Split.TRAIN))
    mean = train.mean(axis=0)
    axes = _principal_axes(train - mean)
    test = comparisons(table, Split.TEST)
    rows = pack.rows_named(test.samples)
    scores = compare_embeddings((_grey(pack, rows) - mean) @ axes, test.probe, test.reference)
    return plain({"eer": equal_error(scores, test, params), "components": axes.shape[1]})


def equal_error(scores: NDArray[np.floating], test: Comparisons, params: EvaluateParams) -> Rate:
    """Equal error rate of other scores of the same comparisons, with its interval over subjects."""
    mated, probe, reference = test.mated, test.probe_subjects, test.reference_subjects
    return eer_rate(
        resample(test.subjects, params.bootstrap, params.seed),
        (scores[mated], probe[mated]),
        (scores[~mated], probe[~mated], reference[~mated]),
        params.confidence,
    )


def trivial(pack: Pack, crop_factor: float) -> dict[str, Any]:
    """AUC per attack species of a logistic model on trivial features, fitted on the training people.

    Args:
        pack: the spoof crops.
        crop_factor: side of a crop / larger side of the face box.

    Returns:
        ``{"auc_by_species": {species: {"value": …} or {"note": why not}}}``.
    """
    species, rows = pack.column("species"), {s: rows_of(pack, s) for s in (Split.TRAIN, Split.TEST)}
    x = {split: _features(pack, at, crop_factor) for split, at in rows.items()}
    found = {}
    for name in sorted(set(species) - {AttackSpecies.BONA_FIDE.value}):
        keep = {
            split: np.isin(species[at], (name, AttackSpecies.BONA_FIDE.value)) for split, at in rows.items()
        }
        genuine = {split: species[at][keep[split]] != name for split, at in rows.items()}
        try:
            found[name] = {"value": _logistic_auc(x, keep, genuine)}
        except NotMeasurableError as error:
            found[name] = {"note": f"not measured: {error.problem}"}
    return plain({"auc_by_species": found})


def _features(pack: Pack, rows: NDArray[np.intp], crop_factor: float) -> NDArray[np.float32]:
    def features(row: int) -> NDArray[np.float32]:
        crop = pack.image(int(row))
        side = crop.shape[0] / crop_factor
        corner = (crop.shape[0] - side) / 2
        return trivial_features(crop, (corner, corner, side, side))

    return np.array(list(in_order(features, rows)), np.float32)


def _logistic_auc(
    x: dict[Split, NDArray[np.floating]],
    keep: dict[Split, NDArray[np.bool_]],
    genuine: dict[Split, NDArray[np.bool_]],
) -> float:
    if np.unique(genuine[Split.TRAIN]).size < 2:
        raise NotMeasurableError("the training split lacks one of the classes", "render more of it")
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    model.fit(x[Split.TRAIN][keep[Split.TRAIN]], genuine[Split.TRAIN])
    scores = model.decision_function(x[Split.TEST][keep[Split.TEST]])
    return auc(scores, genuine[Split.TEST])


def _grey(pack: Pack, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Small grey pictures of equal mean and spread, shape (n, side²)."""
    pictures = (cv2.cvtColor(pack.image(int(row)), cv2.COLOR_RGB2GRAY) for row in rows)
    flat = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for p in pictures]
    if not flat:
        raise NotMeasurableError("the split holds no crop", "raise its share of people")
    x = np.stack(flat).astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)
    return x / (x.std(axis=1, keepdims=True) + 1e-6)


def _principal_axes(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leading eigenvectors of the covariance, shape (side², k)."""
    size = centred.shape[1]
    leading = (size - min(COMPONENTS, size), size - 1)
    with threadpool_limits(
        1
    ):  # a second thread gains nothing here, and waits for long where the machine is busy
        values, vectors = eigh(centred.T @ centred, subset_by_index=leading)
    count = int((values > 1e-9 * values[-1]).sum())
    return vectors[:, ::-1][:, :count]

"""How far attacks can be told from live people without looking at the medium.

Twelve figures that any picture has (sharpness, brightness, where the face is …) and a logistic model on them.
If that model separates a species well, a network need not learn paper or screens: the data set leaks. The AUC
is therefore a measured property of every spoof set, and the baseline that a spoof network has to beat.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from facegate.contracts import AttackSpecies
from facegate.errors import NotMeasurableError
from facegate.metrics.bootstrap import interval, resample
from facegate.metrics.ranking import auc, resampled_aucs

TRIVIAL_NAMES = (
    "sharpness",
    "brightness",
    "contrast",
    "saturation",
    "red_blue",
    "green",
    "dark",
    "light",
    "bytes",
    "face_size",
    "face_x",
    "face_y",
)
"""Log variance of the face's Laplacian; mean, deviation, 1st and 99th percentile of luma; mean HSV
saturation; log red / blue and green / others; log JPEG size per pixel; side and centre of the face box."""

FOLDS = 5


@dataclass(frozen=True)
class TrivialAuc:
    """How well trivial features separate one species from bona fide.

    Attributes:
        auc: area under the ROC curve of cross-validated scores, 0.5 for no leak.
        low: lower bound over resampled subjects.
        high: upper bound.
        attacks: number of attack pictures.
        bona_fide: number of bona fide pictures.
    """

    auc: float
    low: float
    high: float
    attacks: int
    bona_fide: int


def trivial_features(rgb: NDArray[np.uint8], box: ArrayLike) -> NDArray[np.float32]:
    """Trivial features of one picture.

    Args:
        rgb: (H, W, 3), 0 to 255.
        box: x, y, width, height of the face, pixels; may reach over the edge.

    Returns:
        Values in the order of ``TRIVIAL_NAMES``, (12,).
    """
    height, width = rgb.shape[:2]
    x, y, w, h = (float(value) for value in np.asarray(box, float))
    luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    mean = np.maximum(np.array(cv2.mean(rgb)[:3]), 1.0)
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    dark, light = np.percentile(luma, (1, 99))
    return np.array(
        [
            np.log(cv2.Laplacian(_face(luma, x, y, w, h), cv2.CV_32F).var() + 1),
            luma.mean(),
            luma.std(),
            cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[..., 1].mean(),
            np.log(mean[0] / mean[2]),
            np.log(mean[1] ** 2 / (mean[0] * mean[2])),
            dark,
            light,
            np.log(len(data) / (height * width)),
            np.sqrt(max(w * h, 1.0) / (height * width)),
            (x + w / 2) / width,
            (y + h / 2) / height,
        ],
        np.float32,
    )


def trivial_auc(
    features: ArrayLike, species: ArrayLike, subjects: ArrayLike, *, confidence: float = 0.95, seed: int = 5
) -> dict[str, TrivialAuc]:
    """AUC of a logistic model on trivial features, for each attack species against bona fide.

    The model of a species is trained on four fifths of the subjects and scores the rest, five times over.

    Args:
        features: (n, d), see :func:`trivial_features`.
        species: ``AttackSpecies`` of each row, (n,).
        subjects: subject of each row, (n,).
        confidence: level of the interval, 0 to 1.
        seed: of the resampled subjects.

    Raises:
        NotMeasurableError: no bona fide row, no attack, or fewer than five subjects.
    """
    rows, kinds, who = np.asarray(features, float), np.asarray(species, str), np.asarray(subjects, str)
    live = kinds == AttackSpecies.BONA_FIDE.value
    names = sorted(set(kinds[~live]))
    if not live.any() or not names:
        raise NotMeasurableError(
            "a trivial-feature AUC needs bona fide pictures and attacks", "score a pack that holds both"
        )
    return {name: _of_species(rows, live, live | (kinds == name), who, confidence, seed) for name in names}


def _of_species(
    rows: NDArray[np.float64],
    live: NDArray[np.bool_],
    used: NDArray[np.bool_],
    who: NDArray[np.str_],
    confidence: float,
    seed: int,
) -> TrivialAuc:
    x, attack, subjects = rows[used], ~live[used], who[used]
    people = np.unique(subjects).size
    if people < FOLDS:
        raise NotMeasurableError(
            f"five folds by subject need at least {FOLDS} subjects, not {people}", "take more people"
        )
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    folds = GroupKFold(FOLDS)
    scores = np.asarray(
        cross_val_predict(model, x, attack, groups=subjects, cv=folds, method="decision_function"), float
    )
    samples = resampled_aucs(resample(subjects, 500, seed), scores, attack, subjects)
    low, high = interval(samples, people, confidence)
    return TrivialAuc(auc(scores, attack), low, high, int(attack.sum()), int((~attack).sum()))


def _face(luma: NDArray[np.uint8], x: float, y: float, w: float, h: float) -> NDArray[np.uint8]:
    """The middle of the face, or of the picture where the box leaves none."""
    height, width = luma.shape
    left, right = (int(np.clip(v, 0, width)) for v in (x + 0.15 * w, x + 0.85 * w))
    top, bottom = (int(np.clip(v, 0, height)) for v in (y + 0.15 * h, y + 0.85 * h))
    part = luma[top:bottom, left:right]
    return part if min(part.shape) >= 8 else luma[height // 4 : -height // 4, width // 4 : -width // 4]

"""An eye model on people of another pack, see :mod:`facegate.evaluation.others`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.datasets.pack import Pack
from facegate.evaluation.eye_scores import COLUMNS, Eyes, score_eyes
from facegate.evaluation.eyes import figures
from facegate.evaluation.numbers import plain
from facegate.metrics.bootstrap import resample
from facegate.params import EvaluateParams
from facegate.runtime.eyes import EyeJudge


def judge_other_eyes(
    judge: EyeJudge, crops: Pack, rows: NDArray[np.intp], params: EvaluateParams
) -> dict[str, Any]:
    """Figures of eyes at the model's own thresholds.

    Args:
        judge: the model.
        crops: the pack.
        rows: of it, shape (n,); the eyes of a face are neighbours.
        params: resamples, confidence and seed.

    Returns:
        See :func:`~facegate.evaluation.eyes.figures`; ``synthetic`` says whether everybody is rendered.

    Raises:
        BundleError: the model was never evaluated.
    """
    columns = score_eyes(judge.session, judge.bundle.contract, crops, rows)
    shown = Eyes(*(np.asarray(columns[name]) for name in COLUMNS))
    draws = resample(shown.subjects, params.bootstrap, params.seed)
    threshold, limits = judge.policy.point.threshold, judge.blink_params()
    return plain({"synthetic": crops.synthetic, **figures(draws, shown, threshold, limits, params)})


def eye_summary(found: dict[str, Any]) -> str:
    """The figures in a few lines: as they are, and under motion blur and noise."""
    kind = "rendered people, synthetic" if found["synthetic"] else "people"
    lines = [f"{found['people']} {kind}: {found['frames']} faces, {found['blinks']['clips']} clips"]
    for name, auc, blinks in (("as they are", "auc", "clean"), ("hard", "auc_hard", "hard")):
        events = found["blinks"]["as filmed"][blinks]
        lines.append(
            f"{name}: AUC {_spread(found[auc])}; blinks: F1 {_spread(events)}, "
            f"{events['hits']} found, {events['false']} false, {events['missed']} missed"
        )
    return "\n".join(lines)


def _spread(rate: dict[str, Any]) -> str:
    if "value" not in rate:
        return "not measurable"
    return f"{rate['value']:.4f} ({rate['low']:.4f}-{rate['high']:.4f})"

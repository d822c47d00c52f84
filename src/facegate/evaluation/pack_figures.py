"""Figures that a score table alone does not give: they ask the pack who was missed, how heads turn, what is a clip."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from facegate.contracts import Split, Task
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation import acquisition, clips, cues, turning
from facegate.evaluation.enrolment import templates
from facegate.evaluation.numbers import plain
from facegate.evaluation.spoof_points import headline_point
from facegate.evaluation.tables import comparisons, presentations
from facegate.params import EvaluateParams


def pack_figures(
    task: Task,
    table: pa.Table,
    about: Mapping[str, Any],
    metrics: Mapping[str, Any],
    pack: Pack,
    params: EvaluateParams,
) -> dict[str, Any]:
    """What the pack adds to the figures of a score table.

    Args:
        task: recognition, or one of attack detection.
        table: its score table.
        about: what the table says of itself.
        metrics: what was made of the table; its operating points are used.
        pack: the crops behind it.
        params: resamples, confidence and seed.

    Returns:
        ``acquisition`` and ``turning``; for recognition also ``transactions`` and ``templates``, for attack
        detection ``per_clip`` where the crops are frames of clips, for spoof ``cues``.
    """
    measure = _recognition if task is Task.RECOGNITION else _attack_detection
    found = {"acquisition": acquisition.failures_to_acquire(pack, Split.TEST, params)}
    if task is Task.SPOOF:
        test = presentations(table, Split.TEST)
        found["cues"] = cues.cue_correlations(test, cues.cue_table(pack, Split.TEST), params)
    return plain(found | measure(table, about, metrics["operating_points"], pack, params))


def _recognition(
    table: pa.Table, about: Mapping[str, Any], points: Mapping[str, Any], pack: Pack, params: EvaluateParams
) -> dict[str, Any]:
    del about
    val, test = comparisons(table, Split.VAL), comparisons(table, Split.TEST)
    point = "fmr_1e-2" if "fmr_1e-2" in points else "eer"
    threshold = points[point]["threshold"]
    angle, how = turning.angles(pack)
    bands = turning.recognition_turning(test, angle, threshold, params)
    missed = acquisition.not_acquired(pack, Split.TEST)
    try:
        attempts = acquisition.transactions(test, missed, point, threshold, params)
    except NotMeasurableError as error:
        attempts = {"note": f"not measured: {error.problem}"}
    return {
        "turning": {"angles": how, "bands": bands},
        "transactions": attempts,
        "templates": templates(val, test, params),
    }


def _attack_detection(
    table: pa.Table, about: Mapping[str, Any], points: Mapping[str, Any], pack: Pack, params: EvaluateParams
) -> dict[str, Any]:
    test = presentations(table, Split.TEST)
    threshold = points[headline_point(points)]["threshold"]
    angle, how = turning.angles(pack)
    bands = turning.spoof_turning(test, angle, threshold, params)
    found: dict[str, Any] = {"turning": {"angles": how, "bands": bands}}
    clip_of = clips.clips_of(pack)
    if len(set(clip_of.values())) < len(clip_of):  # more than one frame to a clip
        try:
            found["per_clip"] = clips.per_clip(table, about, clip_of, params)
        except NotMeasurableError as error:
            found["per_clip"] = {"note": f"not measured: {error.problem}"}
    return found

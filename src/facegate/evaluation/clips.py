"""Frames into clips: the same attack detection figures with one score for each clip.

A film of two seconds holds sixty frames that say nearly the same; a rate per frame counts them sixty times, and a
door decides once. Where the crops belong to clips, both are stated.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import PRESENTATION_COLUMNS
from facegate.datasets.pack import Pack, arrow_schema
from facegate.evaluation.spoof import evaluate_spoof
from facegate.metrics.pad import fuse_clips
from facegate.params import EvaluateParams


def clips_of(pack: Pack) -> dict[str, str]:
    """Clip of each sample of a pack that belongs to one."""
    pairs = zip(pack.column("sample_id"), pack.column("clip_id"), strict=True)
    return {str(sample): str(clip) for sample, clip in pairs if clip is not None}


def fused_table(table: pa.Table, clips: Mapping[str, str]) -> pa.Table:
    """A presentation table with one row per clip, its score the mean over its frames.

    Args:
        table: presentations, one per frame.
        clips: clip of each sample id; samples that belong to none are left out.
    """
    part = table.filter(pa.array([name in clips for name in table["sample_id"].to_pylist()], pa.bool_()))
    clip = np.array([clips[name] for name in part["sample_id"].to_pylist()], object)
    names, scores = fuse_clips(part["score"].to_numpy(), clip)
    first = np.unique(clip, return_index=True)[1]
    same = {name: part[name].to_numpy()[first] for name in ("subject_id", "species", "split")}
    return pa.table(
        {"sample_id": names, **same, "score": scores.astype(np.float32)},
        schema=arrow_schema(PRESENTATION_COLUMNS),
    )


def per_clip(
    table: pa.Table, about: Mapping[str, Any], clips: Mapping[str, str], params: EvaluateParams
) -> dict[str, Any]:
    """Figures per clip, thresholds from validation clips.

    Returns:
        ``clips`` (their number in the test split), ``auc``, ``auc_by_species`` and ``operating_points``.

    Raises:
        NotMeasurableError: the clips of a split lack bona fide ones or attacks.
    """
    found = evaluate_spoof(fused_table(table, clips), about, {}, params)
    kept = ("auc", "auc_by_species", "operating_points")
    return {"clips": found["presentations"], **{name: found[name] for name in kept}}

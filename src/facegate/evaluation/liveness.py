"""What a clip model must beat: the one-frame spoof model on the same frames, its scores averaged.

A clip holds everything that its frames hold, so that a clip model which does no better than the mean of one-frame
scores has learnt nothing from time. Both are compared on the same clips, people resampled together.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import Task
from facegate.datasets.pack import Pack
from facegate.errors import BundleError
from facegate.evaluation.compare import compare_spoof
from facegate.evaluation.spoof import evaluate_spoof
from facegate.faces.film import unroll
from facegate.params import EvaluateParams
from facegate.runtime.bundle import load_bundle
from facegate.runtime.models import SpoofJudge

_EDGE = 1e-6


def static_fusion(pack: Pack, table: pa.Table, spoof: Path, params: EvaluateParams) -> dict[str, Any]:
    """The spoof model on every frame of the clips of a score table, log odds averaged.

    Args:
        pack: the film strips.
        table: the clip model's score table.
        spoof: folder of the spoof bundle.
        params: resamples, confidence and seed.

    Returns:
        ``auc``, ``auc_by_species``, rates at ``operating_points`` (thresholds from validation clips), and
        ``against_static``: one minus AUC of static fusion (a), of the clip model (b), and the difference.

    Raises:
        BundleError: the bundle is missing, of another task, or takes crops of another size.
    """
    judge = SpoofJudge(load_bundle(spoof))
    size = judge.bundle.contract.input.height
    fused = []
    for row in pack.rows_named(table["sample_id"].to_pylist()).tolist():
        frames, _ = unroll(pack.image(row))
        if frames.shape[1] != size:
            raise BundleError(
                f"{spoof}: takes {Task.SPOOF} crops of {size} pixels, and the clips' are {frames.shape[1]}",
                "prepare both with the same `prepare.context_size`",
            )
        scores = np.clip(judge.score_crops(frames).astype(np.float64), _EDGE, 1 - _EDGE)
        odds = np.log(scores / (1 - scores)).mean()
        fused.append(1 / (1 + np.exp(-odds)))
    place = table.schema.get_field_index("score")
    static = table.set_column(place, table.schema.field(place), pa.array(fused, pa.float32()))
    found = evaluate_spoof(static, {"synthetic": True, "dataset": ""}, {}, params)
    points = {name: found["operating_points"][name]["threshold"] for name in found["operating_points"]}
    compared = compare_spoof(static, table, (points["eer"], points["eer"]), params)
    return {
        **{name: found[name] for name in ("auc", "auc_by_species", "operating_points")},
        "against_static": compared["one_minus_auc"],
    }

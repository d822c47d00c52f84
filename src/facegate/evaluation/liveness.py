"""What a clip model must beat: the one-frame spoof model on the same frames, its scores averaged.

A clip holds everything that its frames hold, so that a clip model which does no better than the mean of one-frame
scores has learnt nothing from time. Both are compared on the same clips, people resampled together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import Split, Task
from facegate.datasets.pack import Pack
from facegate.errors import BundleError
from facegate.evaluation.compare import one_minus_auc
from facegate.evaluation.numbers import plain
from facegate.evaluation.spoof import evaluate_spoof
from facegate.evaluation.tables import Presentations, presentations
from facegate.faces.film import unroll
from facegate.metrics.bootstrap import resample
from facegate.metrics.pad import BONA_FIDE
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
        ``against_static``, see :func:`against_static`.

    Raises:
        BundleError: the bundle is missing, of another task, or takes crops of another size.
    """
    fused = static_scores(pack, table["sample_id"].to_pylist(), spoof)
    place = table.schema.get_field_index("score")
    static = table.set_column(place, table.schema.field(place), pa.array(fused))
    found = evaluate_spoof(static, {"synthetic": True, "dataset": ""}, {}, params)
    clips, still = (presentations(one, Split.TEST) for one in (table, static))
    return {
        **{name: found[name] for name in ("auc", "auc_by_species", "operating_points")},
        "against_static": against_static(clips, still.scores, params),
    }


def static_scores(pack: Pack, samples: Sequence[str], spoof: Path) -> NDArray[np.float32]:
    """Score of each clip by the spoof model alone: the mean of its frames' log odds, as a probability, shape (n,).

    Args:
        pack: the film strips.
        samples: ids of the clips.
        spoof: folder of the spoof bundle.

    Raises:
        BundleError: the bundle is missing, of another task, or takes crops of another size.
    """
    judge = SpoofJudge(load_bundle(spoof))
    size = judge.bundle.contract.input.height
    fused: list[float] = []
    for row in pack.rows_named(samples).tolist():
        frames, _ = unroll(pack.image(row))
        if frames.shape[1] != size:
            raise BundleError(
                f"{spoof}: takes {Task.SPOOF} crops of {size} pixels, and the clips' are {frames.shape[1]}",
                "prepare both with the same `prepare.context_size`",
            )
        scores = np.clip(judge.score_crops(frames).astype(np.float64), _EDGE, 1 - _EDGE)
        odds = np.log(scores / (1 - scores)).mean()
        fused.append(1 / (1 + np.exp(-odds)))
    return np.array(fused, np.float32)


def against_static(
    clips: Presentations, static: NDArray[np.float32], params: EvaluateParams
) -> dict[str, Mapping[str, Any]]:
    """Static fusion (a) and a clip model (b) on the same clips: of all attacks, and of each species.

    Args:
        clips: with the scores of the clip model.
        static: scores by :func:`static_scores` in that order, shape (n,).
        params: resamples, confidence and seed.

    Returns:
        One minus AUC of both and their difference, see :func:`~facegate.evaluation.compare.one_minus_auc`.
    """
    species = sorted(set(clips.species) - {BONA_FIDE})
    found: dict[str, Mapping[str, Any]] = {}
    for name, kinds in {"all": species, **{name: [name] for name in species}}.items():
        rows = np.isin(clips.species, [BONA_FIDE, *kinds])
        part = clips.at(rows)
        draws = resample(part.subjects, params.bootstrap, params.seed)
        found[name] = one_minus_auc(draws, replace(part, scores=static[rows]), part.scores, params)
    return plain(found)


def gain(one: Mapping[str, Any]) -> str:
    """By how much the AUC of clips is above that of single frames, with its interval; `one` of :func:`against_static`."""
    return f"{-one['difference']:+.4f} ({-one['high']:+.4f} to {-one['low']:+.4f})"

"""What the leave-something-out trainings show on what they had not met, beside a training that had met it.

The figures that matter are those with *no border in view*: paper edges and bezels give an attack away whatever the medium.
Thresholds come from validation people without what was held out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import CROP_COLUMNS, Split
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.cues import cue_correlations, cue_table
from facegate.evaluation.numbers import plain
from facegate.evaluation.protocol_runs import BRANCHES
from facegate.evaluation.tables import Presentations, presentations, read_table
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, interval, resample
from facegate.metrics.pad import BONA_FIDE, threshold_at_bpcer
from facegate.metrics.ranking import auc, resampled_aucs
from facegate.params import EvaluateParams
from facegate.recapture.media import PAPER, SCREENS
from facegate.training.protocols import REFERENCE, Arm, held_columns

TARGET_BPCER = 0.05
FLAT = tuple(species.value for species in PAPER + SCREENS)
"""What content that is not faces can teach; no mask is among it."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """One split as an arm and the reference scored it; all attributes have shape (n,).

    Attributes:
        part: with the arm's scores.
        reference: the reference's scores.
        columns: what arms hold out by.
        border: an edge of the medium is in view.
    """

    part: Presentations
    reference: NDArray[np.float32]
    columns: Mapping[str, NDArray[np.str_]]
    border: Rows

    @property
    def live(self) -> Rows:
        """Bona fide presentations."""
        return self.part.species == BONA_FIDE


def measure_arms(
    arms: Sequence[Arm], tables: Mapping[str, Mapping[str, Path]], crops: Path, params: EvaluateParams
) -> dict[str, Any]:
    """Figures of every arm.

    Args:
        arms: the reference among them.
        tables: from :func:`~facegate.evaluation.protocol_runs.run_arms`.
        crops: the crops that were scored.
        params: resamples, confidence and seed.

    Returns:
        Plain JSON values: ``arms`` by title, and what the tables say of themselves.

    Raises:
        NotMeasurableError: a split lacks bona fide presentations or attacks, or the reference is missing.
    """
    if REFERENCE.title not in tables:
        raise NotMeasurableError("the protocols lack the training that leaves nothing out", "train it too")
    pack = open_pack(crops, CROP_COLUMNS)
    about = read_table(tables[REFERENCE.title][BRANCHES[0]])[1]
    kept = {name: about[name] for name in ("synthetic", "dataset", "steps", "crops_digest")}
    found: dict[str, Any] = {}
    for arm in arms:
        found |= _measure(arm, tables, pack, params)
    return plain({**kept, "target_bpcer": TARGET_BPCER, "arms": found})


def _measure(
    arm: Arm, tables: Mapping[str, Mapping[str, Path]], pack: Pack, params: EvaluateParams
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for branch in BRANCHES:
        table, reference = (read_table(tables[title][branch])[0] for title in (arm.title, REFERENCE.title))
        val, test = (
            _scored(presentations(table, split), presentations(reference, split), pack)
            for split in (Split.VAL, Split.TEST)
        )
        draws = resample(test.part.subjects, params.bootstrap, params.seed)
        met = ~arm.leaves_out(val.columns)
        for name, rows in judged(arm, test).items():
            title = f"{arm.title}: {name}" if name else arm.title
            about = {"protocol": arm.protocol, "name": f"{arm.name}: {name}" if name else arm.name}
            clear = rows & ~test.border
            found.setdefault(title, about)[branch] = {
                "no_border": _ranking(draws, test, clear, params),
                "all": _ranking(draws, test, rows, params),
                "bpcer_5": _errors(draws, val, met, test, rows, params),
                "by_species": _by_species(draws, test, params),
                "cues": cue_correlations(_part(test.part, clear), cue_table(pack, Split.TEST), params),
            }
    return found


def judged(arm: Arm, scored: Scored) -> dict[str, Rows]:
    """Presentations that an arm is judged on: what it held out, and the bona fide ones it has to be told from.

    Where a camera is held out, that camera's bona fide presentations are the ones. An arm without faces is judged on flat
    media, since content cannot be worn as a mask.

    Returns:
        One entry without a name. For an arm that holds out media and a camera, one for each kind, everything else as in
        training, and one for ``all at once``.
    """
    live, attack = scored.live, ~scored.live
    if not arm.faces:
        return {"": live | np.isin(scored.part.species, FLAT)}
    if not arm.held:
        return {"": live | attack}
    camera, medium = np.zeros_like(live), np.zeros_like(live)
    for kind in arm.held:
        (camera if kind.column == "camera" else medium)[kind.holds(scored.columns)] = True
    if not medium.any():
        return {"": camera}
    if not camera.any():
        return {"": live | (attack & medium)}
    kinds = {
        kind.name: camera & ~medium
        if kind.column == "camera"
        else (live | kind.holds(scored.columns)) & ~camera
        for kind in arm.held
    }
    return {**kinds, "all at once": camera & (live | medium)}


def _scored(part: Presentations, reference: Presentations, pack: Pack) -> Scored:
    if not np.array_equal(part.samples, reference.samples):
        raise NotMeasurableError("two arms scored different presentations", "train them on the same crops")
    rows = pack.rows_named(part.samples)
    border = np.asarray(pack.column("border_visible")[rows], bool)
    return Scored(part, reference.scores, held_columns(pack, rows), border)


def _part(part: Presentations, rows: Rows) -> Presentations:
    return replace(part, **{name: value[rows] for name, value in vars(part).items()})


def _ranking(draws: Resamples, test: Scored, rows: Rows, params: EvaluateParams) -> dict[str, Any]:
    """AUC of the arm and of the reference on the same presentations, and their paired difference."""
    live, subjects = test.live[rows], test.part.subjects[rows]
    counts = {"bona_fide": int(live.sum()), "attacks": int((~live).sum()), "people": len(set(subjects))}
    ours, theirs = (scores[rows] for scores in (test.part.scores, test.reference))
    try:
        values = auc(ours, live), auc(theirs, live)
        samples = [resampled_aucs(draws, scores, live, subjects) for scores in (ours, theirs)]
        figures = [
            _figure(value, drawn, draws, params)
            for value, drawn in zip(
                (*values, values[0] - values[1]), (*samples, samples[0] - samples[1]), strict=True
            )
        ]
    except NotMeasurableError as error:
        return {"note": f"not measured: {error.problem}", **counts}
    return {**figures[0], **counts, "reference": figures[1], "difference": figures[2]}


def _figure(
    value: float, samples: NDArray[np.float64], draws: Resamples, params: EvaluateParams
) -> dict[str, float]:
    low, high = interval(samples, draws.people.size, params.confidence)
    return {"value": value, "low": max(low, -1.0), "high": min(high, 1.0)}


def _errors(
    draws: Resamples, val: Scored, met: Rows, test: Scored, rows: Rows, params: EvaluateParams
) -> dict[str, Any]:
    """APCER over what was held out and BPCER, at each training's own threshold."""
    live, subjects = test.live[rows], test.part.subjects[rows]
    border = test.border[rows]
    found = {}
    for name, chosen, scores in (
        ("arm", val.part.scores, test.part.scores),
        ("reference", val.reference, test.reference),
    ):
        threshold = threshold_at_bpcer(chosen[met & val.live], TARGET_BPCER)
        accepted = scores[rows] >= threshold
        found[name] = {"threshold": threshold} | {
            rate: bootstrap_rate(draws, wrong[who], subjects[who], None, params.confidence)
            for rate, wrong, who in (
                ("apcer", accepted, ~live),
                ("apcer_no_border", accepted, ~live & ~border),
                ("bpcer", ~accepted, live),
            )
        }
    return found


def _by_species(draws: Resamples, test: Scored, params: EvaluateParams) -> dict[str, Any]:
    """AUC of each species with no border in view, met in training or not."""
    names = sorted(set(test.part.species.tolist()) - {BONA_FIDE})
    clear = {name: test.live | ((test.part.species == name) & ~test.border) for name in names}
    return {name: _ranking(draws, test, rows, params) for name, rows in clear.items()}

"""A spoof, clip or eye model on people of another pack: more of them than a test split holds, at the thresholds that it
carries.

    python -m facegate.evaluation.others artifacts/spoof/candidates/fp32 --crops OTHER/data/crops/spoof

judges everybody in a crop pack whom the pack in ``data/crops`` does not hold: a rendered data set of more people, or
somebody else's pictures. Nothing is fitted here.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from facegate.contracts import CROP_COLUMNS, ModelContract, Rate, Task
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import FacegateError, NotMeasurableError, told_in_words
from facegate.evaluation.liveness import against_static, gain, static_scores
from facegate.evaluation.numbers import plain
from facegate.evaluation.other_eyes import eye_summary, judge_other_eyes
from facegate.evaluation.scores import answers, score_presentations
from facegate.evaluation.spoof import figures
from facegate.evaluation.spoof_points import rates_at
from facegate.evaluation.tables import Presentations
from facegate.metrics.bootstrap import resample
from facegate.params import EvaluateParams, load_params
from facegate.runtime.bundle import load_bundle
from facegate.runtime.eyes import EyeJudge
from facegate.runtime.session import Session

JUDGED = (Task.SPOOF, Task.LIVENESS, Task.EYES)


def others(crops: Pack, known: Pack) -> NDArray[np.intp]:
    """Rows of a pack whose subjects another pack does not hold.

    Raises:
        NotMeasurableError: there are none.
    """
    rows = np.flatnonzero(~np.isin(crops.column("subject_id"), known.column("subject_id")))
    if not rows.size:
        raise NotMeasurableError(
            f"{crops.path}: everybody in it is in {known.path} too", "give a pack of other people"
        )
    return rows


def judge_others(
    outputs: NDArray[np.float32],
    contract: ModelContract,
    crops: Pack,
    rows: NDArray[np.intp],
    params: EvaluateParams,
    static: Path | None = None,
) -> dict[str, Any]:
    """Figures of presentations at the contract's own thresholds.

    Args:
        outputs: answers of the model to `rows`, shape (n, classes).
        contract: of the model.
        crops: the pack.
        rows: of it, shape (n,).
        params: resamples, confidence and seed.
        static: folder of a spoof bundle that a clip model is held against, which adds ``against_static``.

    Returns:
        See :func:`~facegate.evaluation.spoof.figures`; ``synthetic`` says whether everybody is rendered.

    Raises:
        NotMeasurableError: there are no bona fide presentations, or no attacks.
    """
    column = score_presentations(outputs, contract, crops, rows)
    shown = Presentations(*(column[name] for name in ("sample_id", "subject_id", "species", "score")))
    draws = resample(shown.subjects, params.bootstrap, params.seed)
    at = {
        name: rates_at(draws, shown, point.threshold, params)
        for name, point in contract.operating_points.items()
    }
    found = plain({"synthetic": crops.synthetic, **figures(draws, shown, at, params)})
    if static is not None:
        fused = static_scores(crops, shown.samples.tolist(), static)
        found["against_static"] = against_static(shown, fused, params)
    return found


def summary(found: dict[str, Any]) -> str:
    """The figures in a few lines."""
    auc = found["auc"]
    kind = "rendered people, synthetic" if found["synthetic"] else "people"
    lines = [
        f"{found['people']} {kind}: {auc['bona_fide']} bona fide presentations, {auc['attacks']} attacks",
        f"AUC {auc['value']:.4f} ({auc['low']:.4f}-{auc['high']:.4f})",
    ]
    for name, point in found["operating_points"].items():
        bpcer, apcer = _rate(point["bpcer"]), _rate(point["worst_apcer"])
        lines.append(f"{name}: BPCER {bpcer}; worst APCER {apcer}, {point['worst_species']}")
    for name, one in found.get("against_static", {}).items():
        aucs = f"AUC of single frames {1 - one['a']:.4f}, of clips {1 - one['b']:.4f}"
        lines.append(f"{name}: {aucs}, {gain(one)}, p = {one['p_value']:.3f}")
    return "\n".join(lines)


def _rate(values: dict[str, Any]) -> str:
    rate = Rate.model_validate(values)
    value = "not measurable" if rate.value is None else f"{100 * rate.value:.2f} %"
    return f"{value} ({100 * rate.low:.2f}-{100 * rate.high:.2f}, {rate.errors} of {rate.trials})"


def main(
    bundle: Annotated[Path, typer.Argument(help="folder of a spoof, liveness or eye bundle")],
    crops: Annotated[Path, typer.Option(help="crop pack of other people, of the same task and size")],
    out: Annotated[Path | None, typer.Option(help="write all figures to this JSON file")] = None,
    static: Annotated[
        Path | None, typer.Option(help="folder of the spoof bundle that a clip model must beat")
    ] = None,
) -> None:
    """Judge everybody in a pack whom the data set of this folder does not hold."""
    loaded = load_bundle(bundle)
    task = loaded.contract.task
    if task not in JUDGED:
        raise FacegateError(f"{bundle}: `task` is {task}", f"give a bundle of {', '.join(JUDGED)}")
    if static is not None and task is not Task.LIVENESS:
        raise FacegateError(f"{bundle}: `task` is {task}", "leave out `--static`, which is for clip models")
    pack = open_pack(crops, CROP_COLUMNS)
    rows = others(pack, open_pack(Path("data/crops") / task, CROP_COLUMNS))
    params = load_params().evaluate
    if task is Task.EYES:
        found = judge_other_eyes(EyeJudge(loaded), pack, rows, params)
    else:
        outputs = answers(Session(loaded), pack, rows, f"judging {len(rows)}")
        found = judge_others(outputs, loaded.contract, pack, rows, params, static)
    if out is not None:
        out.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    print(eye_summary(found) if task is Task.EYES else summary(found))


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)

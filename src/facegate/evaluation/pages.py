"""The report page of one model version, per task."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from facegate.contracts import ModelContract
from facegate.evaluation import folds, sections
from facegate.evaluation.figures import Figures
from facegate.evaluation.liveness import gain
from facegate.evaluation.pack_sections import pack_sections
from facegate.evaluation.sections import rate
from facegate.evaluation.spoof_points import headline_point
from facegate.reporting.page import Page, Picture, Section, Table, with_interval


def recognition_page(
    metrics: Mapping[str, Any], contract: ModelContract, out: Figures, baselines: Mapping[str, Any]
) -> Page:
    """Page of a recognition model.

    Args:
        metrics: from :func:`~facegate.evaluation.recognition.evaluate_recognition`.
        contract: of the bundle.
        out: its plots.
        baselines: ``eigenfaces`` with its ``eer``.
    """
    points = metrics["operating_points"]
    shown = metrics["slices"]["operating_point"]
    rows = [
        (name, f"{p['threshold']:.4f}", with_interval(rate(p["fmr"])), with_interval(rate(p["fnmr"])))
        for name, p in points.items()
    ]
    errors = Section(
        "Errors",
        "Thresholds were set on validation people and applied to test people; intervals resample people.",
        (Picture(out["det"], "DET curve"), Picture(out["scores"], "Histogram of scores")),
        (Table(("operating point", "threshold", "FMR on test", "FNMR on test"), rows), _tar(metrics)),
    )
    worst = "Above, two people taken for one; below, one person taken for two."
    return Page(
        f"{contract.name} · {contract.quantisation.target}",
        f"Who is this? {metrics['people']} test people, {metrics['pictures']:,} pictures; data set: {metrics['dataset']}.",
        metrics["synthetic"],
        [
            ("Equal error rate", rate(metrics["eer"])),
            (f"FNMR at {shown}", rate(points[shown]["fnmr"])),
            (f"FMR at {shown}", rate(points[shown]["fmr"])),
            ("EER of eigenfaces, to be beaten", rate(baselines["eigenfaces"]["eer"])),
            *([("EER of the teacher", rate(baselines["teacher"]["eer"]))] if "teacher" in baselines else []),
        ],
        [
            errors,
            *folds.section(metrics),
            _search(metrics["identification"]),
            sections.calibration(metrics, out),
            sections.groups(metrics, out, ("fnmr", "fmr")),
            *pack_sections(metrics, out),
            *([sections.robustness(metrics, out, ("fnmr", "fmr"))] if "robustness" in metrics else []),
            sections.worst_errors(out, worst),
            sections.recipe(metrics, contract),
        ],
    )


def spoof_page(
    metrics: Mapping[str, Any], contract: ModelContract, out: Figures, baselines: Mapping[str, Any]
) -> Page:
    """Page of a spoof model; `baselines` holds ``trivial`` with ``auc_by_species``."""
    points = metrics["operating_points"]
    shown = headline_point(points)
    at = points[shown]
    errors = Section(
        "Errors",
        "APCER counts attacks accepted, BPCER bona fide presentations refused. Thresholds were set on validation "
        "people and applied to test people; intervals resample people. The second table follows the test people's own "
        "curve to each BPCER: no threshold to deploy, but free of the chance in which validation people set it.",
        (
            Picture(out["species"], "APCER of each species and BPCER", wide=True),
            Picture(out["det"], "DET curve of each species"),
            Picture(out["scores"], "Histogram of scores"),
        ),
        (
            Table(("operating point", "threshold", "BPCER on test", "worst APCER on test"), _points(points)),
            Table(
                ("on the test people's own curve", "passes at", "BPCER", "worst APCER"),
                _points(metrics["on_test_curve"]),
            ),
        ),
    )
    worst = (
        "Above, attacks that look most like live people to the model; below, live people that look least so."
    )
    auc = metrics["auc"]
    return Page(
        f"{contract.name} · {contract.quantisation.target}",
        f"Is this a live person? {metrics['people']} test people, {metrics['presentations']:,} presentations; "
        f"data set: {metrics['dataset']}.",
        metrics["synthetic"],
        [
            (f"Worst APCER at {shown} ({at['worst_species'].replace('_', ' ')})", rate(at["worst_apcer"])),
            (f"BPCER at {shown}", rate(at["bpcer"])),
            ("Area under ROC", f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"),
        ],
        [
            errors,
            _species(metrics, at, baselines["trivial"]["auc_by_species"]),
            sections.calibration(metrics, out),
            sections.groups(metrics, out, ("bpcer", "apcer")),
            *pack_sections(metrics, out),
            *([sections.robustness(metrics, out, ("bpcer", "apcer"))] if "robustness" in metrics else []),
            sections.worst_errors(out, worst),
            _legacy(metrics["legacy"]),
            sections.recipe(metrics, contract),
        ],
    )


def liveness_page(
    metrics: Mapping[str, Any], contract: ModelContract, out: Figures, baselines: Mapping[str, Any]
) -> Page:
    """Page of a liveness model: that of a spoof model, with static fusion as what it must beat.

    Args:
        metrics: from :func:`~facegate.evaluation.spoof.evaluate_spoof`, of clips.
        contract: of the bundle.
        out: its plots.
        baselines: ``static`` from :func:`~facegate.evaluation.liveness.static_fusion`, if it was measured.
    """
    static = baselines.get("static", {"auc_by_species": {}})
    page = spoof_page(metrics, contract, out, {"trivial": {"auc_by_species": static["auc_by_species"]}})
    lead = (
        "The baseline is the one-frame spoof model on every frame, its log odds averaged: the clip model has learnt "
        "something from time only where it does better."
    )
    errors, species, *others = page.sections
    head = ("species", "APCER", "AUC", "AUC of static fusion")
    gains = [clip_gains(static["against_static"])] if "against_static" in static else []
    compared = Section("Species", lead, tables=(Table(head, species.tables[0].rows), *gains))
    return replace(page, subtitle=f"A clip each. {page.subtitle}", sections=[errors, compared, *others])


_VERDICTS = {
    "A is better": "static fusion is better",
    "B is better": "the clip model is better",
    "no difference shown": "no difference shown",
}


def clip_gains(found: Mapping[str, Any]) -> Table:
    """By how much a clip model's AUC is above that of static fusion.

    Args:
        found: from :func:`~facegate.evaluation.liveness.against_static`.
    """
    rows = [
        (
            name,
            gain(one),
            f"{one['p_value']:.3f}",
            _VERDICTS[one["verdict"]],
        )
        for name, one in found.items()
    ]
    return Table(
        ("species", "AUC of the clip model − AUC of static fusion, same clips", "p", "verdict"), rows
    )


def _tar(metrics: Mapping[str, Any]) -> Table:
    rows = [
        (target, with_interval(rate(row["tar"])) if "tar" in row else "not measurable", row["note"])
        for target, row in metrics["tar_at_fmr"].items()
        if target != "threshold_from"
    ]
    return Table(("FMR (threshold from the test set)", "TAR", "limits of the claim"), rows)


def _search(found: Mapping[str, Any]) -> Section:
    if "note" in found:
        return Section("Identification", found["note"])
    rows = [
        ("rank 1", with_interval(rate(found["rank_1"]))),
        ("rank 5", with_interval(rate(found["rank_5"]))),
        (f"FPIR, wanted {100 * found['target_fpir']:g} %", with_interval(rate(found["fpir"]))),
        ("FNIR at that threshold", with_interval(rate(found["fnir"]))),
    ]
    sizes = [
        (f"{int(size):,}", "–", row["note"], "–", "–")
        if "note" in row
        else (
            f"{int(size):,}",
            f"{row['threshold']:.4f}",
            _HOW[row["how"]],
            with_interval(rate(row["fpir"])) if row["fpir"] else "gallery too small to measure",
            with_interval(rate(row["fnir"])),
        )
        for size, row in found["by_gallery_size"].items()
    ]
    lead = (
        f"Half of the test people are enrolled with one picture each ({found['gallery']}); the others are strangers. "
        "Thresholds come from validation strangers. The larger the gallery, the higher the threshold must be."
    )
    head = ("gallery", "threshold for FPIR 5 %", "how it is known", "FPIR on test", "FNIR on test")
    return Section("Identification", lead, tables=(Table(("", ""), rows), Table(head, sizes)))


_HOW = {
    "measured": "measured on sub-galleries",
    "independence": "extrapolated: FPIR = 1 − (1 − FMR)^N",
    "tail": "extrapolated: exponential tail fitted to the highest scores",
}


def _points(points: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """BPCER and the worst species' APCER of each point."""
    return [
        (
            name,
            f"{p['threshold']:.4f}",
            with_interval(rate(p["bpcer"])),
            f"{p['worst_species'].replace('_', ' ')}: {with_interval(rate(p['worst_apcer']))}",
        )
        for name, p in points.items()
    ]


def _species(metrics: Mapping[str, Any], at: Mapping[str, Any], trivial: Mapping[str, Any]) -> Section:
    rows = []
    for name, found in at["apcer"].items():
        auc, base = metrics["auc_by_species"][name], trivial.get(name, {}).get("value")
        rows.append(
            (
                name.replace("_", " "),
                with_interval(rate(found)),
                f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})",
                "–" if base is None else f"{base:.3f}",
            )
        )
    lead = (
        "The baseline is a logistic model on blur, brightness, contrast, colour and size alone: where it comes "
        "close, the data give the attack away."
    )
    head = ("species", "APCER", "AUC", "AUC of trivial features")
    return Section("Species", lead, tables=(Table(head, rows),))


def _legacy(found: Mapping[str, Any]) -> Section:
    rows = [
        ("ACER", f"{100 * found['acer']:.2f} %"),
        ("HTER", f"{100 * found['hter']:.2f} %"),
        ("EER on the test set, attacks pooled", with_interval(rate(found["eer_on_test"]))),
        *(
            (f"TPR at FPR {100 * float(t):g} % (CelebA-Spoof's orientation)", with_interval(rate(row["tpr"])))
            for t, row in found["celeba_spoof_tpr_at_fpr"].items()
        ),
    ]
    lead = "Figures of older tables, for comparison only: they are not in ISO/IEC 30107-3 and hide the worst attack."
    return Section("Legacy", lead, tables=(Table(("", ""), rows),))

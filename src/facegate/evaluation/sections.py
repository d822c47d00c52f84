"""Metrics into the sections of a report page; what both tasks have in common."""

from collections.abc import Mapping
from typing import Any

from facegate.contracts import ModelContract, Rate
from facegate.evaluation.figures import Figures
from facegate.reporting.page import Picture, Section, Table, percent, with_interval


def rate(values: Mapping[str, Any]) -> Rate:
    """A rate that was dumped into JSON."""
    return Rate.model_validate(values)


def calibration(metrics: Mapping[str, Any], out: Figures) -> Section:
    """Reliability plot and cost of the calibrated score."""
    found = metrics["calibration"]
    rows = [
        ("map chosen on validation people", found["chosen_on_val"]),
        ("Cllr of that map on test people", f"{found['cllr']:.3f} bits"),
        ("Cllr of the logistic map, which the contract carries", f"{found['cllr_logistic']:.3f} bits"),
        ("min-Cllr: what the best monotone map would cost", f"{found['min_cllr']:.3f} bits"),
    ]
    lead = (
        "Scores become log-likelihood ratios by a map fitted on validation people. Cllr is 0 for a perfect and 1 "
        "for an uninformative score."
    )
    picture = Picture(out["reliability"], "Stated against seen probability")
    return Section("Calibration", lead, (picture,), (Table(("", ""), rows),))


def groups(metrics: Mapping[str, Any], out: Figures, names: tuple[str, str]) -> Section:
    """Rates per group with the 25 % verdict for groups of people."""
    rows = []
    for column, found in metrics["slices"].items():
        for metric in names:
            if not isinstance(found, Mapping) or metric not in found:
                continue
            report = found[metric]
            worst = rate(report["rates"][report["worst"]])
            ratio = "–" if report["ratio"] is None else f"{report['ratio']:.2f}"
            verdict = report["verdict"] if found["demographic"] else "–"
            rows.append(
                (
                    column.replace("_", " "),
                    metric.upper(),
                    f"{report['worst']}: {with_interval(worst)}",
                    ratio,
                    verdict,
                )
            )
    lead = (
        f"At {metrics['slices']['operating_point']}. For groups of people the verdict asks whether each one's "
        "whole interval lies within 1.25 times the overall rate (NIST SP 800-63A-4); where the samples are too few "
        "to tell, it is undecided."
    )
    pictures = (Picture(out["slices"], "Rates by group", wide=True),) if out["slices"].is_file() else ()
    head = ("column", "rate", "worst group", "worst / best", "25 % rule")
    return Section("Groups", lead, pictures, (Table(head, rows),))


def robustness(metrics: Mapping[str, Any], out: Figures, names: tuple[str, str]) -> Section:
    """Curves over corruption strength, and a table of none, half and full strength."""
    rows = []
    for kind, points in metrics["robustness"].items():
        ends = (points[0], points[len(points) // 2], points[-1])
        rows += [(kind, name.upper(), *(percent(point[name]["value"]) for point in ends)) for name in names]
    lead = "A subsample of the test pictures, made worse step by step, at the threshold of the clean ones."
    picture = Picture(out["robustness"], "Error rates over the strength of each corruption", wide=True)
    return Section(
        "Robustness", lead, (picture,), (Table(("corruption", "rate", "none", "half", "full"), rows),)
    )


def worst_errors(out: Figures, lead: str) -> Section:
    """The contact sheet."""
    return Section("Worst errors", lead, (Picture(out["worst"], "Pictures of the worst errors", wide=True),))


def recipe(metrics: Mapping[str, Any], contract: ModelContract) -> Section:
    """Data and recipe, from the contract."""
    quantisation = contract.quantisation
    rows = [
        ("model", contract.name),
        ("target", f"{quantisation.target} ({quantisation.method})"),
        ("model SHA-256", contract.model_sha256),
        ("commit", contract.git_commit),
        ("parameters SHA-256", contract.params_digest),
        (
            "input",
            f"{contract.input.crop}, {contract.input.width} × {contract.input.height} {contract.input.colour}",
        ),
        ("evaluated on", f"{metrics['dataset']}: {metrics['people']} test people"),
        *((f"crops {path}", digest) for path, digest in sorted(contract.data_digests.items())),
        *((f"{data.role}: {data.name}", data.licence) for data in contract.training_data),
    ]
    lead = (
        "No test person was seen in training, in the sweep, in quantisation or in the choice of a threshold."
    )
    return Section("Data and recipe", lead, tables=(Table(("", ""), rows),))

"""The page of the leave-something-out protocols."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegate.evaluation.cues import CUES, WANTED, correlation
from facegate.evaluation.protocol_runs import BRANCHES
from facegate.evaluation.sections import rate
from facegate.reporting.forest import forest
from facegate.reporting.page import Page, Picture, Section, Table, with_interval, write_page

WANTED_AUC = 0.85
"""What leave-one-content-out and leave-one-simulation-out should reach with no border in view."""

PROTOCOLS = {
    "content": (
        "Leave one content out",
        "Trained on pictures that are not faces, tested on faces: print, cut-out and screens. Masks are no flat medium and "
        "stand in the table of species only.",
    ),
    "simulation": (
        "Leave one simulation out",
        "Trained without one kind of halftone, display or camera, tested on that kind. Where a camera is held out, live "
        "people before that camera are too.",
    ),
    "species": (
        "Leave one species out",
        "Trained without one attack species. The other prints and screens share its simulation, so a flat species left out "
        "asks less than a simulation left out; the mask stands alone.",
    ),
}
_VIEWS = {"no_border": "left out, no border", "all": "left out, all"}
_HEAD = ("branches", "AUC", "AUC of the training with it", "difference", "attacks, bona fide")


def write_protocols(folder: Path, found: Mapping[str, Any]) -> None:
    """Write ``protocols.json``, plots and ``report.html``.

    Args:
        folder: where to.
        found: from :func:`~facegate.evaluation.protocols.measure_arms`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, sort_keys=True, allow_nan=False)
    (folder / "protocols.json").write_text(text + "\n")
    write_page(folder / "report.html", protocol_page(folder, found))


def protocol_page(folder: Path, found: Mapping[str, Any]) -> Page:
    """The page; its plots are drawn into `folder`."""
    sections = [
        _protocol(folder, found, name)
        for name in PROTOCOLS
        if any(a["protocol"] == name for a in found["arms"].values())
    ]
    trainings = len({title.partition(":")[0] for title in found["arms"]})
    return Page(
        "Spoof: what was left out of training",
        f"{trainings} trainings of {found['steps']:,} steps each, the last weights of each, one seed; "
        f"test people who are in no training; data set: {found['dataset']}.",
        bool(found["synthetic"]),
        [
            (f"{title}, medium branch, no border: lowest AUC", _lowest(found, name))
            for name, title in (("content", "Content"), ("simulation", "Simulation"), ("species", "Species"))
            if _lowest(found, name)
        ],
        [*sections, _cues(folder, found), _by_species(found)],
    )


def interval_of(figure: Mapping[str, Any], sign: str = "") -> str:
    """An area under the ROC, or a difference of two, with its interval."""
    if "value" not in figure:
        return "not measured"
    return f"{figure['value']:{sign}.3f} ({figure['low']:{sign}.3f} to {figure['high']:{sign}.3f})"


def _arms(found: Mapping[str, Any], protocol: str) -> dict[str, Mapping[str, Any]]:
    return {arm["name"]: arm for arm in found["arms"].values() if arm["protocol"] == protocol}


def _lowest(found: Mapping[str, Any], protocol: str) -> str:
    figures = [arm["medium"]["no_border"] for arm in _arms(found, protocol).values()]
    measured = [figure for figure in figures if "value" in figure]
    return interval_of(min(measured, key=lambda figure: figure["value"])) if measured else ""


def _protocol(folder: Path, found: Mapping[str, Any], protocol: str) -> Section:
    title, lead = PROTOCOLS[protocol]
    arms = _arms(found, protocol)
    drawn = {
        f"{name}: {branch}": {
            "left out": arm[branch]["no_border"],
            "trained with it": arm[branch]["no_border"].get("reference", {}),
        }
        for name, arm in arms.items()
        for branch in BRANCHES
    }
    path = folder / f"{protocol}.png"
    forest(
        path,
        f"{title}: no border in view",
        drawn,
        "area under the ROC",
        (0.4, 1.0),
        (WANTED_AUC,),
        found["synthetic"],
    )
    tables = [Table((head, *_HEAD), _rows(arms, view)) for view, head in _VIEWS.items()]
    errors = Table(
        ("left out", "branches", "APCER, no border", "APCER, all", "APCER, all, trained with it", "BPCER"),
        [row for name, arm in arms.items() for row in _error_rows(name, arm)],
    )
    note = " Errors are those at the threshold for BPCER 5 % on validation people."
    return Section(title, lead + note, (Picture(path, title, wide=True),), (*tables, errors))


def _rows(arms: Mapping[str, Mapping[str, Any]], view: str) -> list[tuple[str, ...]]:
    return [
        (
            name.replace("_", " "),
            branch,
            interval_of(arm[branch][view]),
            interval_of(arm[branch][view].get("reference", {})),
            interval_of(arm[branch][view].get("difference", {}), "+"),
            f"{arm[branch][view]['attacks']:,}, {arm[branch][view]['bona_fide']:,}",
        )
        for name, arm in arms.items()
        for branch in BRANCHES
    ]


def _error_rows(name: str, arm: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for branch in BRANCHES:
        ours, theirs = (arm[branch]["bpcer_5"][who] for who in ("arm", "reference"))
        figures = (ours["apcer_no_border"], ours["apcer"], theirs["apcer"], ours["bpcer"])
        rows.append((name.replace("_", " "), branch, *(with_interval(rate(figure)) for figure in figures)))
    return rows


def _cues(folder: Path, found: Mapping[str, Any]) -> Section:
    rows: list[tuple[str, ...]] = []
    drawn: dict[str, Any] = {}
    for title, arm in found["arms"].items():
        if arm["protocol"] == "species":
            continue
        for branch in BRANCHES:
            for kind, cues in arm[branch]["cues"].items():
                texts = (correlation(cues[cue]) if "value" in cues[cue] else "not measured" for cue in CUES)
                rows.append((title.replace("_", " "), branch, kind.replace("_", " "), *texts))
        drawn |= {f"{arm['name']}: {kind}": cues for kind, cues in arm["medium"]["cues"].items()}
    path = folder / "cues.png"
    title = "Correlation of the medium branch's score with cues, no border in view"
    forest(path, title, drawn, "Spearman's rho", (-0.7, 0.7), (-WANTED, WANTED), found["synthetic"])
    lead = (
        "Spearman's rank correlation within each class, of the presentations judged above with no border in view; wanted "
        f"below {WANTED:g} in size."
    )
    return Section(
        "Cues", lead, (Picture(path, title, wide=True),), (Table(("arm", "branches", "class", *CUES), rows),)
    )


def _by_species(found: Mapping[str, Any]) -> Section:
    first = next(iter(found["arms"].values()))
    names = list(first["both"]["by_species"])
    rows = [
        (title.replace("_", " "), branch, *(interval_of(arm[branch]["by_species"][name]) for name in names))
        for title, arm in found["arms"].items()
        for branch in BRANCHES
    ]
    lead = "Area under the ROC of every species, no border in view, against all bona fide presentations, met or not."
    return Section(
        "Species in every training",
        lead,
        tables=(Table(("arm", "branches", *(n.replace("_", " ") for n in names)), rows),),
    )

"""The figures of :mod:`facegate.evaluation.pack_figures` as sections of a report page."""

from collections.abc import Mapping
from typing import Any

from facegate.contracts import Rate
from facegate.evaluation.cues import WANTED, correlation, counted
from facegate.evaluation.figures import Figures
from facegate.reporting.page import Picture, Section, Table, with_interval


def pack_sections(metrics: Mapping[str, Any], out: Figures) -> list[Section]:
    """Sections of whatever was measured."""
    makers = {
        "acquisition": lambda found: _acquisition(found, metrics.get("transactions")),
        "templates": _templates,
        "per_clip": _per_clip,
        "cues": lambda found: _cues(found, out),
        "turning": lambda found: _turning(found, out),
    }
    return [make(metrics[name]) for name, make in makers.items() if name in metrics]


def _rate(values: Mapping[str, Any]) -> str:
    return with_interval(Rate.model_validate(values))


def _acquisition(found: Mapping[str, Any], claims: Mapping[str, Any] | None) -> Section:
    lead = "A picture in which no usable face was found is a failure to acquire. FMR, FNMR, APCER and BPCER leave it out."
    tables = [Table(("", ""), _failures(found))]
    if claims and "by_attempts" in claims:
        lead += (
            " FAR and FRR are those of transactions at the threshold of "
            f"{claims['operating_point']}: one accepted attempt accepts the claim, a failure to acquire is a failed attempt."
        )
        rows = [
            (most, row["note"], "–") if "note" in row else (most, _rate(row["far"]), _rate(row["frr"]))
            for most, row in claims["by_attempts"].items()
        ]
        tables.append(Table(("attempts", "FAR", "FRR"), rows))
    elif claims:
        tables.append(Table(("", ""), [("transactions", claims["note"])]))
    return Section("Acquisition and transactions" if claims else "Acquisition", lead, tables=tables)


def _failures(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "note" in found:
        return [("failure to acquire", found["note"])]
    rows = [("failure to acquire, all test pictures", _rate(found["failure_to_acquire"]))]
    if "apnrr" in found:
        worst = found["worst_apnrr_species"]
        if found["bpnrr"]:
            rows.append(("BPNRR: bona fide presentations without an answer", _rate(found["bpnrr"])))
        rows.append(
            (f"worst APNRR: attacks without an answer ({_words(worst)})", _rate(found["apnrr"][worst]))
        )
    return rows


def _templates(found: Mapping[str, Any]) -> Section:
    title = "Several pictures a person"
    if "note" in found:
        return Section(title, found["note"])
    lead = (
        f"{found['people']} people are enrolled with the mean of some of their pictures; {found['probes']:,} other "
        "pictures, the same in every row, are compared with each template. The threshold was set for FMR "
        f"{100 * found['target_fmr']:g} % on validation people enrolled in the same way."
    )
    rows = [
        (size, f"{row['threshold']:.4f}", _rate(row["fmr"]), _rate(row["fnmr"]), _rate(row["eer"]))
        for size, row in found["by_pictures"].items()
    ]
    return Section(title, lead, tables=(Table(("pictures", "threshold", "FMR", "FNMR", "EER"), rows),))


def _per_clip(found: Mapping[str, Any]) -> Section:
    if "note" in found:
        return Section("Per clip", found["note"])
    lead = (
        f"One score for each of {found['clips']:,} test clips, the mean over its frames; thresholds from validation clips. "
        "All other figures of this page are per frame."
    )
    rows = [
        (
            name,
            f"{point['threshold']:.4f}",
            _rate(point["bpcer"]),
            f"{_words(point['worst_species'])}: {_rate(point['worst_apcer'])}",
        )
        for name, point in found["operating_points"].items()
    ]
    head = ("operating point", "threshold", "BPCER per clip", "worst APCER per clip")
    return Section("Per clip", lead, tables=(Table(head, rows),))


def _cues(found: Mapping[str, Any], out: Figures) -> Section:
    lead = (
        "Spearman's rank correlation of the score with what says nothing about the medium, within bona fide "
        f"presentations and within attacks; wanted below {WANTED:g} in size. Sharpness is the variance of the Laplacian. A "
        "trace is seen only where the picture is sharp, so within attacks the score falls with it for good reason too."
    )
    rows = [
        (name.replace("_", " "), cue, figure["note"], "–")
        if "note" in figure
        else (name.replace("_", " "), cue, correlation(figure), counted(figure))
        for name, cues in found.items()
        for cue, figure in cues.items()
    ]
    picture = Picture(out["cues"], "Correlation of the score with each cue", wide=True)
    pictures = (picture,) if out["cues"].is_file() else ()
    return Section("Cues", lead, pictures, (Table(("class", "cue", "correlation", "presentations"), rows),))


def _turning(found: Mapping[str, Any], out: Figures) -> Section:
    bands = found["bands"]
    names = [name for name in bands[0] if name not in ("low", "high")]
    rows = [
        (f"{band['low']:g} to {band['high']:g}°", *(_measured(band[name]) for name in names))
        for band in bands
    ]
    lead = (
        "Test pictures by the angle between the line of sight and the camera, yaw and pitch taken together "
        f"({found['angles']}), at the threshold of all; in recognition against pictures of the first band."
    )
    head = ("angle", *(name.upper() for name in names))
    picture = Picture(out["turning"], "Error rates over the angle of the head", wide=True)
    return Section("Turned heads", lead, (picture,), (Table(head, rows),))


def _measured(values: Mapping[str, Any]) -> str:
    return _rate(values) if values["trials"] else "no picture"


def _words(species: str) -> str:
    return species.replace("_", " ")

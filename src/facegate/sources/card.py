"""The data set card: what the pictures are, how many, how good, and what they are not.

A set is measured before anything is trained on it: how often the detector finds the faces, how far attacks
can be told from live people by trivial features alone (a leak in the data, not a skill of a network), who is
shown. Contact sheets let a person see the rest.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Task
from facegate.datasets.pack import MANIFEST, Pack, open_pack
from facegate.datasets.prepare import SAMPLE_PACK
from facegate.errors import NotMeasurableError
from facegate.sources.ledger import terms
from facegate.synthesis.sheets import clips_sheet, people_sheet, species_sheet, write_sheet
from facegate.synthesis.shortcuts import TRIVIAL_NAMES, trivial_auc, trivial_features

TRIVIAL_LIMIT = 0.80
"""A species that trivial features separate better than this leaks through a shortcut."""
_SHEETS = {"stills": people_sheet, "attacks": species_sheet, "clips": clips_sheet}
_DETECTION = ("detection_rate", "pictures", "crops", "by_species", "landmark_error")
_SHOWN = 1200
"""Rows from the start of a pack that a sheet chooses from."""


def write_card(samples: Path, crops: Path, out: Path) -> dict[str, Any]:
    """Measure the sample packs and write ``card.md`` and one contact sheet a pack.

    Args:
        samples: folder of the packs ``stills``, ``attacks`` and ``clips``; any may be empty.
        crops: folder of the crop packs by task, which know what the detector found.
        out: folder of the card.

    Returns:
        Counts, detection rates and trivial-feature AUC per species, for a metrics file.

    Raises:
        PackError: a pack is missing or corrupt.
    """
    out.mkdir(parents=True, exist_ok=True)
    packs = {name: open_pack(samples / name, SAMPLE_COLUMNS) for name in _SHEETS if _filled(samples / name)}
    for name, pack in packs.items():
        write_sheet(_SHEETS[name](_rows(pack, min(len(pack), _SHOWN))), out / f"{name}.png")
    measured: dict[str, Any] = {
        "synthetic": all(pack.metadata.get("rendered", False) for pack in packs.values()),
        "packs": {name: _counts(pack) for name, pack in packs.items()},
    }
    for task, name in SAMPLE_PACK.items():
        if name in packs and (crops / task).is_dir():
            found = open_pack(crops / task, CROP_COLUMNS).metadata
            measured["packs"][name]["detection"] = {key: found[key] for key in _DETECTION}
    if "attacks" in packs:
        found = open_pack(crops / Task.SPOOF, CROP_COLUMNS)
        measured["trivial_auc"] = {"limit": TRIVIAL_LIMIT, **_trivial(packs["attacks"], found)}
    (out / "card.md").write_text(card_text(measured, _sources(packs.values())))
    return measured


def card_text(measured: dict[str, Any], sources: Sequence[str]) -> str:
    """The card as Markdown."""
    lines = ["# Data set card", ""]
    if measured["synthetic"]:
        lines += [
            "**Rendered pictures: no real person is shown.** Numbers measured on this set are synthetic. They prove "
            "that the graph works and compare one recipe with another; they say nothing about real faces.",
            "",
        ]
    lines += ["| source | licence | commercial use |", "|---|---|---|"]
    for name in sources:
        known = terms(name)
        lines.append(f"| {known.title} | {known.licence} | {'yes' if known.commercial_use else 'no'} |")
    for name, pack in measured["packs"].items():
        lines += ["", f"## {name}", "", f"![contact sheet]({name}.png)", ""]
        lines += [f"- {key.replace('_', ' ')}: {_words(value)}" for key, value in pack.items()]
    if "trivial_auc" in measured:
        lines += [
            "",
            "## Shortcuts",
            "",
            f"AUC of a logistic model on {len(TRIVIAL_NAMES)} trivial features ({', '.join(TRIVIAL_NAMES)}), "
            f"cross-validated by subject; above {TRIVIAL_LIMIT:.2f} the species leaks.",
            "",
            "| species | AUC | 95 % interval | attacks | bona fide |",
            "|---|---|---|---|---|",
        ]
        for species, row in measured["trivial_auc"]["species"].items():
            lines.append(
                f"| {species} | {row['auc']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['attacks']} "
                f"| {row['bona_fide']} |"
            )
    return "\n".join(lines) + "\n"


def _counts(pack: Pack) -> dict[str, Any]:
    splits = pack.column("split")
    subjects = pack.column("subject_id")
    ages, ita = (_numbers(pack, name) for name in ("age", "ita"))
    return {
        "pictures": len(pack),
        "people": len(set(subjects)),
        "pictures_by_split": dict(sorted(Counter(splits).items())),
        "people_by_split": {s: len(set(subjects[splits == s])) for s in sorted(set(splits))},
        "species": dict(sorted(Counter(pack.column("species")).items())),
        "sex": dict(sorted(Counter(str(v) for v in pack.column("sex") if v is not None).items())),
        "age_years": _range(ages),
        "skin_tone_ita_degrees": _range(ita),
    }


def _trivial(samples: Pack, crops: Pack) -> dict[str, Any]:
    boxes = dict(zip(crops.column("sample_id"), crops.column("box"), strict=True))
    ids = samples.column("sample_id")
    used = [i for i, name in enumerate(ids) if name in boxes]
    features = [trivial_features(samples.image(i), boxes[ids[i]]) for i in used]
    try:
        found = trivial_auc(features, samples.column("species")[used], samples.column("subject_id")[used])
    except NotMeasurableError as error:
        return {"species": {}, "note": f"not measured: {error.problem}"}
    return {
        "species": {
            name: {
                "auc": round(row.auc, 6),
                "low": round(row.low, 6),
                "high": round(row.high, 6),
                "attacks": row.attacks,
                "bona_fide": row.bona_fide,
                "leaks": row.auc > TRIVIAL_LIMIT,
            }
            for name, row in found.items()
        }
    }


def _numbers(pack: Pack, name: str) -> np.ndarray:
    values = np.array([np.nan if v is None else v for v in pack.column(name)], float)
    return values[np.isfinite(values)]


def _range(values: np.ndarray) -> dict[str, float] | None:
    if values.size == 0:
        return None
    low, middle, high = np.percentile(values, (5, 50, 95))
    return {"p5": round(float(low), 1), "median": round(float(middle), 1), "p95": round(float(high), 1)}


def _rows(pack: Pack, count: int) -> Iterator[dict[str, Any]]:
    for batch in pack.table.slice(0, count).to_batches():
        yield from batch.to_pylist()


def _filled(path: Path) -> bool:
    return (path / MANIFEST).is_file() and any(path.glob("part-*.arrow"))


def _sources(packs: Any) -> list[str]:
    found = {str(name) for pack in packs for name in set(pack.column("source"))}
    return sorted(found | ({"anny"} if "synthetic" in found else set()))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    return str(value)

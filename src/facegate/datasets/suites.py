"""What a data contract demands, as Great Expectations suites over three small tables.

``rows`` has one line per picture: the pack's columns and what is derived from them (fingerprints, margins,
in how many splits a subject or a picture occurs). ``schema`` has one line per column of the contract,
``counts`` one line per group of pictures with the least count it must reach. Every :class:`Rule` carries a
sentence that a person can act on.
"""

# pyright: reportPrivateImportUsage=false
# Great Expectations does not mark its public names as exported.

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import great_expectations.expectations as gxe
import numpy as np
import pandas as pd

from facegate.contracts import AttackSpecies, Column, Split, Task
from facegate.datasets.fingerprints import Fingerprint, near_pairs
from facegate.datasets.pack import Pack, arrow_schema
from facegate.params import ValidateParams

CRITICAL, WARNING = "critical", "warning"
LANDMARKS_BEYOND_BOX = 0.3
"""How far detected landmarks may lie outside the detected box, in sides of the box."""

RANGES: dict[str, tuple[float | None, float | None]] = {
    "width": (16, 10000),
    "height": (16, 10000),
    "frame": (0, None),
    "time_s": (0, None),
    "yaw": (-180, 180),
    "pitch": (-180, 180),
    "roll": (-180, 180),
    "blink": (0, 1),
    "age": (0, 120),
    "ita": (-90, 90),
    "detection_score": (0, 1),
    "landmark_error": (0, 0.5),
}
"""Least and greatest value of numeric columns, where a value is given."""

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "split": tuple(Split),
    "species": tuple(AttackSpecies),
    "sex": ("female", "male"),
    "crop": ("aligned", "context", "eye", "clip"),
}


class Rule(NamedTuple):
    """One demand.

    Attributes:
        table: ``rows``, ``schema`` or ``counts``.
        column: column of the contract that it is about.
        says: what must hold, as a sentence.
        expectation: the same for Great Expectations.
        severity: ``critical`` stops the graph, ``warning`` is reported.
    """

    table: str
    column: str
    says: str
    expectation: gxe.Expectation
    severity: str = CRITICAL


def rows_table(pack: Pack, fingerprints: Sequence[Fingerprint]) -> pd.DataFrame:
    """One line per picture, without the pictures."""
    frame = pack.table.drop_columns(["image"]).to_pandas()
    frame["true_width"] = [f.width for f in fingerprints]
    frame["true_height"] = [f.height for f in fingerprints]
    picture = pd.Series([f.exact.hex() for f in fingerprints])
    frame["splits_of_subject"] = frame.groupby("subject_id")["split"].transform("nunique")
    frame["splits_of_picture"] = frame["split"].groupby(picture).transform("nunique")
    frame["subjects_of_picture"] = frame["subject_id"].groupby(picture).transform("nunique")
    frame["lookalike"] = _lookalikes(frame, fingerprints)
    frame["landmarks_beyond"] = [_beyond(row) for row in frame.to_dict("records")]
    if "box" in frame:
        frame["box_side"] = [min(box[2:4]) if len(box) == 4 else 0.0 for box in frame["box"]]
    return frame


def schema_table(pack: Pack, columns: Sequence[Column]) -> pd.DataFrame:
    """One line per column of the contract: its type as found and as demanded."""
    found = {field.name: str(field.type) for field in pack.table.schema}
    demanded = {field.name: str(field.type) for field in arrow_schema(columns)}
    lines = [(name, found.get(name, "missing"), type_) for name, type_ in demanded.items()]
    return pd.DataFrame(lines, columns=["sample_id", "found", "demanded"])


def counts_table(rows: pd.DataFrame, task: Task, params: ValidateParams) -> pd.DataFrame:
    """One line per group of pictures or people with the least count it must reach."""
    if task in (Task.LIVENESS, Task.EYES):
        params = _of_clips(params)
    lines: list[tuple[str, str, int, int]] = []
    for split in Split:
        part = rows.loc[rows["split"] == split]
        people = Counter(part["subject_id"])
        lines.append((f"people in {split}", "subject_id", len(people), params.min_subjects_per_split))
        lines.append((f"pictures in {split}", "split", len(part), params.min_samples_per_split))
        if task is Task.RECOGNITION:
            mated = sum(pictures >= 2 for pictures in people.values())
            lines.append((f"people with two pictures or more in {split}", "subject_id", mated, 2))
        else:
            species = Counter(part["species"])
            lines += [(f"{name} in {split}", "species", *n) for name, n in _classes(species, params).items()]
    table = pd.DataFrame(lines, columns=["sample_id", "column", "count", "minimum"])
    table["sample_id"] += [f": {count} of at least {least}" for _, _, count, least in lines]
    return table


def _of_clips(params: ValidateParams) -> ValidateParams:
    """The least counts of tasks that are made of clips."""
    return params.model_copy(
        update={
            "min_subjects_per_split": params.min_clip_subjects_per_split,
            "min_samples_per_split": params.min_clips_per_split,
            "min_samples_per_species": params.min_clips_per_species,
        }
    )


def _classes(species: Counter[str], params: ValidateParams) -> dict[str, tuple[int, int]]:
    """Count and least count of both classes and of every species that occurs."""
    live = species.pop(AttackSpecies.BONA_FIDE, 0)
    counts = {"bona fide": live, "attacks": species.total(), **dict(sorted(species.items()))}
    return {name: (count, params.min_samples_per_species) for name, count in counts.items()}


def rules(columns: Sequence[Column]) -> list[Rule]:
    """Everything that is demanded of a pack with these columns."""
    names = {column.name for column in columns}
    return [
        Rule("schema", "schema", "every column of the contract is there, with its type",
             gxe.ExpectColumnPairValuesToBeEqual(column_A="found", column_B="demanded")),
        *(_required(c.name) for c in columns if not c.nullable and c.name != "image"),
        _row("sample_id", "a sample id occurs once", gxe.ExpectColumnValuesToBeUnique(column="sample_id")),
        *(_vocabulary(name, words) for name, words in VOCABULARIES.items() if name in names),
        *(_range(name, *limits) for name, limits in RANGES.items() if name in names),
        _row("image", "the picture can be decoded", _at_least("true_width", 1)),
        _row("width", "the picture has the stated width", _equal("width", "true_width")),
        _row("height", "the picture has the stated height", _equal("height", "true_height")),
        *_geometry(names),
        _row("subject_id", "a subject is in one split only", _at_most("splits_of_subject", 1)),
        _row("image", "a picture is in one split only (same bytes)", _at_most("splits_of_picture", 1)),
        *_lookalike(names),
        _row("image", "a picture shows one subject", _at_most("subjects_of_picture", 1), WARNING),
        Rule("counts", "counts", "every group is large enough",
             gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="count", column_B="minimum", or_equal=True)),
    ]  # fmt: skip


def _geometry(names: set[str]) -> list[Rule]:
    if "box" not in names:
        return [_row("landmarks", "landmarks lie inside the picture", _at_most("landmarks_beyond", 0))]
    side = gxe.ExpectColumnValuesToBeBetween(column="box_side", min_value=0, strict_min=True)
    beyond = _at_most("landmarks_beyond", LANDMARKS_BEYOND_BOX)
    return [
        _row("box", "the face box has an area", side),
        _row("landmarks", "landmarks lie on the face box or near it", beyond),
    ]


def _lookalike(names: set[str]) -> list[Rule]:
    """Crops of one template look alike anyway, so only whole pictures are compared."""
    if "crop" in names:
        return []
    alone = gxe.ExpectColumnValuesToBeNull(column="lookalike")
    return [_row("image", "a picture is in one split only (looks the same)", alone)]


def _row(column: str, says: str, expectation: gxe.Expectation, severity: str = CRITICAL) -> Rule:
    return Rule("rows", column, says, expectation, severity)


def _required(name: str) -> Rule:
    return _row(name, "a value is given", gxe.ExpectColumnValuesToNotBeNull(column=name))


def _vocabulary(name: str, words: tuple[str, ...]) -> Rule:
    expectation = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[str(word) for word in words])
    return _row(name, f"is one of {', '.join(words)}", expectation)


def _range(name: str, low: float | None, high: float | None) -> Rule:
    says = f"lies between {low:g} and {high:g}" if high is not None else f"is at least {low:g}"
    return _row(name, says, gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high))


def _at_most(name: str, high: float) -> gxe.Expectation:
    return gxe.ExpectColumnValuesToBeBetween(column=name, max_value=high)


def _at_least(name: str, low: float) -> gxe.Expectation:
    return gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low)


def _equal(one: str, other: str) -> gxe.Expectation:
    return gxe.ExpectColumnPairValuesToBeEqual(column_A=one, column_B=other)


def _lookalikes(frame: pd.DataFrame, fingerprints: Sequence[Fingerprint]) -> list[str | None]:
    """For each picture the first sample id of another split that looks the same."""
    found: list[str | None] = [None] * len(frame)
    ids = frame["sample_id"].tolist()
    for a, b, _ in near_pairs([f.perceptual for f in fingerprints], frame["split"].tolist()):
        found[a] = found[a] or ids[b]
        found[b] = found[b] or ids[a]
    return found


def _beyond(row: dict[Any, Any]) -> float | None:
    """How far the farthest landmark lies outside: of the box in its sides, else of the picture in pixels."""
    if row["landmarks"] is None:
        return None
    points = np.asarray(row["landmarks"], np.float64)
    whole = points.size == 10 or (row.get("crop") == "clip" and points.size and points.size % 10 == 0)
    if not whole or not np.isfinite(points).all():
        return float("inf")
    points = points.reshape(-1, 2)
    low, high, unit = np.full(2, -0.5), np.array([row["width"], row["height"]]) - 0.5, 1.0
    if "box" in row:
        box = np.asarray(row["box"], np.float64)
        if box.size != 4 or not np.isfinite(box).all() or box[2:].min() <= 0:
            return float("inf")
        low, high, unit = box[:2], box[:2] + box[2:], float(box[2:].max())
    return float(max((low - points).max(), (points - high).max(), 0.0)) / unit

"""Contact sheets: a data set is looked at before anything is trained on it.

Every sheet is made of sample rows (columns of ``SAMPLE_COLUMNS``), whether they come fresh from the renderer
or out of a pack: people with their pictures, presentations by species, clips frame by frame.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facegate.contracts import AttackSpecies
from facegate.errors import PackError
from facegate.recapture.imaging import Bytes

Row = Mapping[str, Any]

GAP, LABEL = 4, 18
"""Pixels between pictures, and the height of a row's label."""
PAPER, INK = 250, (40, 40, 40)


def people_sheet(rows: Iterable[Row], people: int = 8, pictures: int = 8, tile: int = 144) -> Bytes:
    """One row for each of the first people, with their first pictures."""
    return contact_sheet(_grouped(rows, "subject_id", people, pictures), tile)


def species_sheet(rows: Iterable[Row], pictures: int = 12, tile: int = 144) -> Bytes:
    """One row for each species, bona fide first, of as many people as possible."""
    by_species: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_species[str(row["species"])].append(row)
    order = [kind.value for kind in AttackSpecies if kind.value in by_species]
    return contact_sheet({name: _spread(by_species[name], pictures) for name in order}, tile)


def clips_sheet(rows: Iterable[Row], clips: int = 8, frames: int = 8, tile: int = 112) -> Bytes:
    """One row for each of the first clips, with frames spread over its time."""
    groups = _grouped((row for row in rows if row.get("clip_id")), "clip_id", clips, None)
    chosen: dict[str, Sequence[Row]] = {}
    for name, found in groups.items():
        in_order = sorted(found, key=lambda row: int(row["frame"]))
        at = np.linspace(0, len(in_order) - 1, min(frames, len(in_order))).round().astype(int)
        chosen[f"{in_order[0]['species']}  {name}"] = [in_order[i] for i in at]
    return contact_sheet(chosen, tile)


def contact_sheet(groups: Mapping[str, Sequence[Row]], tile: int) -> Bytes:
    """Rows of pictures under their labels.

    Args:
        groups: label to sample rows.
        tile: side of each picture on the sheet, pixels.

    Returns:
        RGB (height, width, 3).

    Raises:
        PackError: there is nothing to show, or a picture cannot be decoded.
    """
    if not groups:
        raise PackError("a contact sheet needs at least one picture", "look at the pack it is made from")
    columns = max(len(rows) for rows in groups.values())
    width, height = GAP + columns * (tile + GAP), len(groups) * (LABEL + tile + GAP) + GAP
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    for line, (label, rows) in enumerate(groups.items()):
        top = GAP + line * (LABEL + tile + GAP)
        cv2.putText(sheet, label, (GAP, top + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
        for column, row in enumerate(rows):
            left = GAP + column * (tile + GAP)
            sheet[top + LABEL : top + LABEL + tile, left : left + tile] = _thumbnail(row, tile)
    return sheet


def write_sheet(sheet: Bytes, path: Path) -> None:
    """Write a sheet as PNG, whole or not at all."""
    _, data = cv2.imencode(".png", sheet[..., ::-1])
    draft = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(data.tobytes())
    draft.replace(path)


def _grouped(rows: Iterable[Row], key: str, groups: int, each: int | None) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        name = str(row[key])
        if name not in found and len(found) == groups:
            continue
        members = found.setdefault(name, [])
        if each is None or len(members) < each:
            members.append(row)
    return found


def _spread(rows: Sequence[Row], count: int) -> list[Row]:
    """Up to `count` rows, one of each person before a second of any."""
    turn: dict[str, int] = defaultdict(int)
    order: list[tuple[int, int]] = []
    for position, row in enumerate(rows):
        order.append((turn[str(row["subject_id"])], position))
        turn[str(row["subject_id"])] += 1
    return [rows[position] for _, position in sorted(order)[:count]]


def _thumbnail(row: Row, tile: int) -> Bytes:
    picture = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise PackError(
            f"picture {row.get('sample_id')} cannot be decoded", "run `dvc repro` to render it anew"
        )
    shrink = picture.shape[0] > tile
    method = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (tile, tile), interpolation=method), np.uint8)

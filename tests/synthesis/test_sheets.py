from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.errors import PackError
from facegate.synthesis.sheets import GAP, LABEL, clips_sheet, people_sheet, species_sheet, write_sheet


def row(
    colour: int, subject: str = "a", species: str = "print", clip: str = "", frame: int = 0
) -> dict[str, object]:
    picture = np.full((20, 20, 3), colour, np.uint8)
    return {
        "sample_id": f"{subject}{species}{colour}",
        "subject_id": subject,
        "species": species,
        "image": cv2.imencode(".png", picture)[1].tobytes(),
        "clip_id": clip or None,
        "frame": frame,
    }


def shade(sheet: np.ndarray, line: int, column: int, tile: int) -> int:
    y = GAP + line * (LABEL + tile + GAP) + LABEL + tile // 2
    return int(sheet[y, GAP + column * (tile + GAP) + tile // 2, 0])


def test_people_get_a_row_each():
    rows = [row(10, "a"), row(60, "b"), row(20, "a"), row(90, "c"), row(30, "a")]
    sheet = people_sheet(rows, people=2, pictures=2, tile=24)
    assert [shade(sheet, 0, 0, 24), shade(sheet, 0, 1, 24), shade(sheet, 1, 0, 24)] == [10, 20, 60]
    assert shade(sheet, 1, 1, 24) == 250


def test_species_come_in_their_order_and_spread_over_people():
    rows = [row(10, "a"), row(11, "a"), row(20, "b"), row(99, "a", "bona_fide")]
    sheet = species_sheet(rows, pictures=2, tile=24)
    assert shade(sheet, 0, 0, 24) == 99
    assert [shade(sheet, 1, 0, 24), shade(sheet, 1, 1, 24)] == [10, 20]


def test_clips_show_frames_over_their_time():
    rows = [row(10 + k, clip="x", frame=k) for k in reversed(range(9))] + [row(200)]
    sheet = clips_sheet(rows, frames=3, tile=24)
    assert [shade(sheet, 0, k, 24) for k in range(3)] == [10, 14, 18]


def test_nothing_to_show_is_an_error():
    with pytest.raises(PackError, match="at least one"):
        people_sheet([])
    with pytest.raises(PackError, match="decoded"):
        people_sheet([{**row(1), "image": b"no picture"}])


def test_a_sheet_is_written_as_png(tmp_path: Path):
    sheet = people_sheet([row(77)], tile=24)
    write_sheet(sheet, tmp_path / "reports" / "people.png")
    read = cv2.imread(str(tmp_path / "reports" / "people.png"), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read, sheet)
    assert [p.name for p in (tmp_path / "reports").iterdir()] == ["people.png"]

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from facegate.serving.store import Mark, attendance_csv
from facegate.serving.store.export import COLUMNS, harmless

EIGHT = datetime(2030, 7, 1, 8, tzinfo=UTC)


def mark(name: str | None, camera: str = "door") -> Mark:
    return Mark(3, "ada", name, None, EIGHT, EIGHT, camera, 2, 0.71239, False, False)


def test_a_table_is_read_back_as_it_was():
    rows = list(csv.reader(attendance_csv([mark('Ada "A", B'), mark(None)], ZoneInfo("Europe/Oslo"))))
    assert rows[0] == list(COLUMNS)
    time = "2030-07-01T10:00:00+02:00"
    assert rows[1] == ["3", "ada", 'Ada "A", B', "", time, time, "door", "2", "0.7124", "0", "0"]
    assert rows[2][2] == ""


@given(st.text(max_size=30))
def test_no_cell_begins_a_formula(text):
    read = next(csv.reader(io.StringIO(list(attendance_csv([mark(text)]))[1], newline="")))
    assert read[2].lstrip(" ")[:1] not in tuple("=+-@\t\r\n＝＋－＠") or read[2] == ""
    assert read[2] in (text, f"'{text}")


def test_what_is_no_formula_stays():
    assert [harmless(c) for c in ("Ada", "", "1-2")] == ["Ada", "", "1-2"]
    for cell in ('=HYPERLINK("x")', "+1", "-1", "@x", "\tx", " =x", "＝1"):
        assert harmless(cell) == f"'{cell}"

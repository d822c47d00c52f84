"""Attendance as CSV that a spreadsheet can open without running anything."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo

from facegate.serving.store.marks import Mark

COLUMNS = (
    *("mark", "person", "name", "session", "first_seen", "last_seen", "camera", "sightings", "score"),
    *("corrected", "void"),
)
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def attendance_csv(marks: Iterable[Mark], zone: tzinfo = UTC) -> Iterator[str]:
    """Lines of a CSV table (RFC 4180), the header first.

    Args:
        marks: what to write.
        zone: of the times, which carry their offset.
    """
    yield _line(COLUMNS)
    for mark in marks:
        times = (_time(mark.first_seen, zone), _time(mark.last_seen, zone))
        who = (mark.id, mark.person_id, mark.name or "", mark.session_id or "")
        score = "" if mark.score is None else f"{mark.score:.4f}"
        yield _line((*who, *times, mark.camera, mark.sightings, score, int(mark.corrected), int(mark.void)))


def harmless(cell: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what begins like one."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _line(cells: Iterable[str | int]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue()


def _time(value: datetime, zone: tzinfo) -> str:
    return value.astimezone(zone).isoformat(timespec="seconds")

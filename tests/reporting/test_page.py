import numpy as np
import pytest

from facegate.metrics.intervals import exact_rate
from facegate.reporting.page import Page, Picture, Section, Table, html, percent, with_interval, write_page
from facegate.reporting.sheet import contact_sheet


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not measured"),
        (0.0, "0.00\xa0%"),
        (0.00123, "0.12\xa0%"),
        (0.05, "5.00\xa0%"),
        (1.0, "100.00\xa0%"),
    ],
)
def test_percent(value, text):
    assert percent(value) == text


def test_a_rate_is_read_with_interval_and_counts():
    assert with_interval(exact_rate(1, 20)) == "5.00\xa0% (0.13\xa0% to 24.87\xa0%; 1 of 20)"


def page(synthetic=True, sections=()):
    return Page("A <model>", "for & on", synthetic, [("EER", exact_rate(1, 20)), ("AUC", "0.9")], sections)


def test_headline_and_words_are_escaped():
    text = html(page())
    assert "<title>A &lt;model&gt;</title>" in text
    assert "for &amp; on" in text
    assert "5.00\xa0%" in text
    assert "1 of 20" in text


@pytest.mark.parametrize(("synthetic", "said"), [(True, True), (False, False)])
def test_synthetic_figures_are_called_so(synthetic, said):
    assert ("say nothing about real faces" in html(page(synthetic))) is said


def test_pictures_are_inlined_and_tables_written(tmp_path):
    contact_sheet(tmp_path / "sheet.jpg", [([np.zeros((9, 9, 3), np.uint8)], ["one", "two"])] * 5)
    table = Table(("a", "b"), [("1", "x" * 50)])
    section = Section("Worst errors", "look", (Picture(tmp_path / "sheet.jpg", "errors"),), (table,))
    write_page(tmp_path / "out" / "report.html", page(sections=(section,)))
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'src="data:image/jpeg;base64,' in text
    assert '<a href="#worst-errors">' in text
    assert 'class="long"' in text
    assert "http" not in text
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["report.html"]


def test_an_empty_sheet_is_still_a_picture(tmp_path):
    contact_sheet(tmp_path / "sheet.jpg", [])
    assert (tmp_path / "sheet.jpg").stat().st_size > 100

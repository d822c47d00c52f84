"""The report page in a real browser: nothing fetched, nothing cut off, on a desk and on a phone."""

from pathlib import Path

import numpy as np
import pytest

from facegate.metrics.intervals import exact_rate
from facegate.reporting.page import Page, Picture, Section, Table, write_page
from facegate.reporting.sheet import contact_sheet

pytestmark = pytest.mark.browser
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    contact_sheet(tmp_path / "sheet.jpg", [([np.zeros((64, 64, 3), np.uint8)] * 3, ["a", "b"])] * 12)
    wide = Table(tuple(f"column {i}" for i in range(12)), [tuple("x" * 20 for _ in range(12))] * 4)
    section = Section(
        "Worst errors", "look", (Picture(tmp_path / "sheet.jpg", "errors", wide=True),), (wide,)
    )
    write_page(
        tmp_path / "report.html", Page("Model", "of a test", True, [("EER", exact_rate(1, 20))], [section])
    )
    return tmp_path / "report.html"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_needs_no_network(report: Path, chromium: str, width: int, scheme: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        text = page.inner_text("body")
        broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
        browser.close()
    assert overflow <= 0
    assert broken == 0
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert "synthetic" in text.lower()
    assert "1 of 20" in text

"""One HTML page per model version that needs nothing else: no network, no script, pictures inlined.

A page is a title, headline figures and sections; what they hold is up to the caller.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path

from facegate.contracts import Rate
from facegate.whole import write_whole

SYNTHETIC_NOTE = (
    "Synthetic. Measured on rendered people: these figures show that the pipeline works and say nothing about "
    "real faces."
)
_SHORT, _LONG = 16, 26
_NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Picture:
    """An image file to be inlined.

    Attributes:
        path: PNG or JPEG.
        alt: what it shows, for those who do not see it.
        wide: give it the whole width.
    """

    path: Path
    alt: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under a head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading with text, pictures and tables, in this order."""

    title: str
    lead: str = ""
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: of the page.
        subtitle: one line under it.
        synthetic: say on top that the figures are from rendered people.
        headline: label and figure; a text stands for what is no rate.
        sections: in order.
    """

    title: str
    subtitle: str
    synthetic: bool
    headline: Sequence[tuple[str, Rate | str]]
    sections: Sequence[Section] = field(default_factory=tuple)


def percent(value: float | None) -> str:
    """A rate for reading: two decimals, or two significant digits below one percent."""
    if value is None:
        return "not measured"
    scaled = 100 * value
    text = f"{scaled:.2g}" if 0 < scaled < 1 else f"{scaled:.2f}"
    return f"{text}{_NO_BREAK}%"


def with_interval(rate: Rate) -> str:
    """A rate with its interval and counts on one line."""
    bounds = f"{percent(rate.low)} to {percent(rate.high)}"
    return f"{percent(rate.value)} ({bounds}; {rate.errors:,} of {rate.trials:,})"


def write_page(path: Path, page: Page) -> None:
    """Write the page, whole or not at all.

    Raises:
        OSError: a picture cannot be read, or the page cannot be written.
    """
    write_whole(path, html(page))


def html(page: Page) -> str:
    """The whole document."""
    style = files("facegate.reporting").joinpath("assets/page.css").read_text(encoding="utf-8")
    note = f'<p class="note">{escape(SYNTHETIC_NOTE)}</p>' if page.synthetic else ""
    links = "".join(f'<a href="#{_anchor(s.title)}">{escape(s.title)}</a>' for s in page.sections)
    cards = "".join(_card(label, figure) for label, figure in page.headline)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<h1>{escape(page.title)}</h1>\n<p class="soft">{escape(page.subtitle)}</p>\n{note}\n'
        f'<div class="cards">{cards}</div>\n<nav>{links}</nav>\n'
        + "\n".join(_section(section) for section in page.sections)
        + "\n</body>\n</html>\n"
    )


def _card(label: str, figure: Rate | str) -> str:
    if isinstance(figure, str):
        return f'<div class="card">{escape(label)}<b>{escape(figure)}</b></div>'
    level = f"{100 * figure.confidence:g} % interval {percent(figure.low)} to {percent(figure.high)}"
    count = f"{figure.errors:,} of {figure.trials:,}"
    return (
        f'<div class="card">{escape(label)}<b>{percent(figure.value)}</b>'
        f"<small>{level}<br>{count}</small></div>"
    )


def _section(section: Section) -> str:
    lead = f"<p>{escape(section.lead)}</p>" if section.lead else ""
    pictures = "".join(_figure(picture) for picture in section.pictures)
    body = lead + (f'<div class="figures">{pictures}</div>' if pictures else "")
    body += "".join(_table(table) for table in section.tables)
    return f'<h2 id="{_anchor(section.title)}">{escape(section.title)}</h2>\n{body}'


def _figure(picture: Picture) -> str:
    kind = "png" if picture.path.suffix == ".png" else "jpeg"
    data = base64.b64encode(picture.path.read_bytes()).decode()
    width = ' class="wide"' if picture.wide else ""
    return f'<figure{width}><img src="data:image/{kind};base64,{data}" alt="{escape(picture.alt)}"></figure>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    width = "short" if len(text) <= _SHORT else "long" if len(text) > _LONG else ""
    return f'<td class="{width}">{escape(text)}</td>' if width else f"<td>{escape(text)}</td>"


def _anchor(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())

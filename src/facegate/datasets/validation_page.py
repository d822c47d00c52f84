"""The data contract's report as one HTML page that needs no network.

Great Expectations' own Data Docs draw on a dozen remote style sheets and a remote logo; this page draws on
nothing, and is the same on every run over the same packs.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from facegate.contracts import Split

SHOWN = 200
"""Lines of a list; the packs hold the rest."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c62828; --warn: #9a6700 }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #ff6b63; --warn: #d8a106 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.verdict { font-weight: 600 } .good { color: var(--good) } .bad { color: var(--bad) } .warn { color: var(--warn) }
.good, .bad, .warn { white-space: nowrap }
table { border-collapse: collapse; width: 100% } .scroll { overflow-x: auto }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .9em; overflow-wrap: anywhere } .quiet { opacity: .7 }
"""


def page(
    report: Mapping[str, Any],
    missed: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    traps: Mapping[str, str] | None = None,
) -> str:
    """The page.

    Args:
        report: what :func:`facegate.datasets.validation.validate` writes as JSON.
        missed: pictures without a crop, sample id: reason.
        problems: samples that the source left out, name: reason.
        traps: name of the trap of those, and of samples that were kept in spite of one.
    """
    title = f"Data contract: {report['task']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        _verdict(report),
        "<h2>Demands</h2>",
        _table(("", "pack", "column", "demand", "checked:n", "failing:n"), map(_rule, report["rules"])),
        "<h2>Crops by species and split</h2>",
        _table(("species", *(f"{split}:n" for split in Split), "all:n"), _counts(report["counts"])),
        "<h2>Detection</h2>",
        _table(("pictures of", "pictures:n", "cropped:n", "rate:n"), _detection(report["detection"])),
        *_source(problems or {}, traps or {}),
        *_missed(missed),
    ]
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
    content = "\n".join(body)
    return f"<!doctype html>\n<html lang='en'><head>{head}<style>{_STYLE}</style></head>\n<body>{content}</body></html>\n"


def _verdict(report: Mapping[str, Any]) -> str:
    held = sum(rule["passed"] for rule in report["rules"])
    word, style = ("holds", "good") if report["passed"] else ("does not hold", "bad")
    met = f"{held} of {len(report['rules'])} demands are met."
    return f"<p><span class='verdict {style}'>The contract {word}</span>: {met}</p>"


def _rule(rule: Mapping[str, Any]) -> list[str]:
    if rule["passed"]:
        mark = "<span class='good'>✓ holds</span>"
    elif rule["severity"] != "critical" and not rule["error"]:
        word = "left out" if rule["severity"] == "drop" else "warning"
        mark = f"<span class='warn'>! {word}</span>"
    else:
        mark = "<span class='bad'>✗ fails</span>"
    notes = [rule["error"]] if rule["error"] else ([] if rule["passed"] else rule["examples"])
    says = escape(rule["rule"]) + "".join(f"<br><code class='quiet'>{escape(note)}</code>" for note in notes)
    return [
        mark,
        rule["pack"],
        f"<code>{escape(rule['column'])}</code>",
        says,
        _n(rule["checked"]),
        _n(rule["failing"]),
    ]


def _counts(counts: Mapping[str, Mapping[str, int]]) -> Iterable[list[str]]:
    for species, by_split in counts.items():
        numbers = [by_split.get(split, 0) for split in Split]
        yield [escape(species), *map(_n, numbers), _n(sum(numbers))]


def _detection(found: Mapping[str, Any]) -> Iterable[list[str]]:
    parts = {"all": found, **found.get("by_species", {}), **found.get("by_split", {})}
    for name, part in parts.items():
        if part.get("detection_rate") is not None:
            yield [escape(name), _n(part["pictures"]), _n(part["crops"]), f"{part['detection_rate']:.2%}"]


def _source(problems: Mapping[str, str], traps: Mapping[str, str]) -> list[str]:
    kept = {name: trap for name, trap in traps.items() if name not in problems}
    return [
        *_listed("Samples left out by the source", ("sample (file)", "trap", "reason"),
                 [(name, traps.get(name, ""), reason) for name, reason in problems.items()]),
        *_listed("Samples kept in spite of a trap", ("sample (file)", "trap"), list(kept.items())),
    ]  # fmt: skip


def _missed(missed: Mapping[str, str]) -> list[str]:
    return _listed("Pictures without a crop", ("sample", "reason"), list(missed.items()))


def _listed(title: str, heads: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> list[str]:
    """A heading with the count and the first lines, each beginning with a file; nothing where there are none."""
    if not lines:
        return []
    more = f"<p class='quiet'>… and {len(lines) - SHOWN:,} more, in the pack's <code>pack.json</code>.</p>"
    rows = ([f"<code>{escape(name)}</code>", *map(escape, rest)] for name, *rest in lines[:SHOWN])
    return [f"<h2>{title}: {len(lines):,}</h2>", _table(heads, rows), more if len(lines) > SHOWN else ""]


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    """A table of finished cells; a head that ends in ``:n`` is a column of numbers."""
    names = list(heads)
    classes = [" class='n'" if name.endswith(":n") else "" for name in names]
    head = "".join(
        f"<th{style}>{escape(name.removesuffix(':n'))}</th>"
        for name, style in zip(names, classes, strict=True)
    )
    lines = (
        "".join(f"<td{style}>{cell}</td>" for cell, style in zip(row, classes, strict=True)) for row in rows
    )
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"


def _n(number: int) -> str:
    return f"{number:,}"

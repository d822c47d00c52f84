"""The gate's report: a table for the terminal, JSON that is hashed into the record, a page, a line in MLflow."""

import hashlib
import json
import tempfile
from pathlib import Path

from facegate.registry.describe import markdown_table, percent
from facegate.registry.facts import Facts
from facegate.registry.gate import Finding, GateReport
from facegate.registry.listing import get_version
from facegate.registry.release import Manifest
from facegate.registry.releases import release_text
from facegate.registry.store import Store, store_errors
from facegate.reporting.page import Page, Section, Table, write_page

HEAD = ("rule", "limit", "value", "upper bound", "n", "verdict", "note", "limit set by")


def table_rows(report: GateReport) -> list[tuple[str, ...]]:
    """The findings as text, in the columns of ``HEAD``."""
    return [_row(finding) for finding in report.findings]


def text_table(report: GateReport) -> str:
    """The findings for a terminal; notes stand under their rule."""
    rows = [HEAD[:6], *(row[:6] for row in table_rows(report))]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    for number, finding in reversed(list(enumerate(report.findings, start=1))):
        if finding.note:
            lines.insert(number + 1, f"    {finding.note}")
    verdict = "passed" if report.passed else "NOT passed"
    note = "; figures are synthetic, from rendered people" if report.synthetic else ""
    return "\n".join([*lines, f"gate {report.profile}: {verdict}{note}"])


def facts_table(facts: Facts) -> str:
    """Everything that was measured, for a terminal: value, interval and count of each rate, and all numbers."""
    rows = [
        (name, percent(rate.value), f"{percent(rate.low)} to {percent(rate.high)}", f"n = {rate.trials:,}")
        for name, rate in facts.rates.items()
    ]
    rows += [(name, f"{value:.4g}", "", "") for name, value in facts.numbers.items()]
    rows += [(name, "yes" if holds else "no", "", "") for name, holds in facts.flags.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))}  "
        f"{facts.notes.get(row[0], '')}".rstrip()
        for row in rows
    )


def report_json(report: GateReport) -> str:
    """The one form in which the report is stored and hashed."""
    return json.dumps(report.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def report_digest(report: GateReport) -> str:
    """SHA-256 of the stored report."""
    return hashlib.sha256(report_json(report).encode()).hexdigest()


def report_place(report: GateReport) -> str:
    """Where a report lies among the artifacts of the release's run."""
    return f"gate/{report.profile}-{report_digest(report)[:12]}.json"


def write_html(path: Path, report: GateReport, version: int) -> None:
    """Write the report as a page of its own."""
    failed = sum(finding.blocking for finding in report.findings)
    section = Section(
        "Rules", "Rates pass by the upper end of their interval.", tables=(Table(HEAD, table_rows(report)),)
    )
    page = Page(
        title=f"Gate {report.profile}: release {version}",
        subtitle=f"release {report.release[:12]}, compared with {report.against[:12] or 'nothing'}",
        synthetic=report.synthetic,
        headline=(("verdict", "passed" if report.passed else "not passed"), ("blocking rules", str(failed))),
        sections=(section,),
    )
    write_page(path, page)


def log_report(
    store: Store, name: str, version: int, report: GateReport, manifest: Manifest, *, shown: bool
) -> None:
    """Keep a report with the release's run; its verdict is a tag, its table stands on the release's page if `shown`."""
    found = get_version(store, name, str(version))
    place = report_place(report)
    with tempfile.TemporaryDirectory() as scratch, store_errors(store.uri):
        page = Path(scratch) / Path(place).with_suffix(".html").name
        write_html(page, report, version)
        store.client.log_text(str(found.run_id), report_json(report), place)
        store.client.log_artifact(str(found.run_id), str(page), "gate")
        if shown:
            store.client.update_model_version(name, str(version), release_text(manifest, markdown(report)))
        verdict = "passed" if report.passed else "refused"
        store.client.set_model_version_tag(name, str(version), f"gate.{report.profile}", verdict)


def markdown(report: GateReport) -> str:
    """The report as Markdown, for the release's page."""
    verdict = "passed" if report.passed else "**not passed**"
    columns = [(r[0], r[1], r[2], r[3], r[4], r[5]) for r in table_rows(report)]
    return f"**Gate {report.profile}**: {verdict}\n\n{markdown_table(HEAD[:6], columns)}"


def _row(finding: Finding) -> tuple[str, ...]:
    bound = "" if finding.bound is None else f"{finding.bound:.4g}"
    if finding.trials is not None and finding.bound is not None:
        bound = f"{100 * finding.bound:.2g} %" if finding.bound < 0.01 else f"{100 * finding.bound:.2f} %"
    trials = "" if finding.trials is None else f"{finding.trials:,}"
    mark = finding.verdict.value + (" ✗" if finding.blocking else "")
    return (finding.fact, finding.limit, finding.value, bound, trials, mark, finding.note, finding.source)

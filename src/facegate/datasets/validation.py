"""Data contracts: Great Expectations on the packs, before anything is trained on them.

The suites are Python (:mod:`facegate.datasets.suites`), the context is ephemeral, and the report is a small
JSON and one HTML page that need no network; both are the same on every run over the same packs. A contract
that fails stops the graph with a message that names column, count and samples.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Column, Task, nullable
from facegate.datasets.fingerprints import Fingerprint, fingerprint
from facegate.datasets.pack import Pack, open_pack
from facegate.datasets.prepare import SAMPLE_PACK
from facegate.datasets.shards import Job, Row, run_jobs, shard_cache
from facegate.datasets.source_contract import source_rules, source_tables
from facegate.datasets.suites import CRITICAL, Rule, counts_table, rows_table, rules, schema_table
from facegate.datasets.traps import source_account
from facegate.datasets.validation_page import page
from facegate.errors import ValidationError
from facegate.params import ValidateParams
from facegate.whole import write_whole

EXAMPLES = 5
PARALLEL_FROM = 5000
"""Smaller packs are fingerprinted in this process: starting others would take longer."""


def validate(task: Task, samples: Path, crops: Path, reports: Path, params: ValidateParams) -> dict[str, Any]:
    """Check a task's sample pack and crop pack, and write ``<task>.json`` and ``<task>.html``.

    Args:
        task: whose packs they are.
        samples: folder of the sample packs.
        crops: folder of the task's crop pack.
        reports: folder of the two reports; they are written whether the contract holds or not.
        params: the counts and rates that must be reached.

    Returns:
        What the JSON holds: ``task``, ``passed``, ``rules`` (one entry per demand with ``checked``,
        ``failing`` and ``examples``), ``detection``, ``counts``.

    Raises:
        ValidationError: a critical rule does not hold, or could not be checked.
        PackError: a pack is missing or corrupt.
    """
    sample_pack = open_pack(samples / SAMPLE_PACK[task], SAMPLE_COLUMNS, verify=True)
    crop_pack = open_pack(crops, CROP_COLUMNS, verify=True)
    found = [
        *check_source(sample_pack, params),
        *check_pack("samples", sample_pack, SAMPLE_COLUMNS, task, params),
        *check_pack("crops", crop_pack, CROP_COLUMNS, task, params),
        _check_origin(sample_pack, crop_pack),
        _check_detection(crop_pack, params),
    ]
    report = {
        "task": str(task),
        "passed": not _stopping(found),
        "rules": found,
        "detection": {
            k: v
            for k, v in crop_pack.metadata.items()
            if k not in ("missed", "not_acquired", "samples_digest")
        },
        "counts": _counts(crop_pack),
        "source": source_account(sample_pack.metadata),
        "limits": params.model_dump(mode="json"),
    }
    write_whole(reports / f"{task}.json", json.dumps(report, indent=1, sort_keys=True) + "\n")
    known = {name: sample_pack.metadata.get(name, {}) for name in ("problems", "traps")}
    write_whole(reports / f"{task}.html", page(report, crop_pack.metadata.get("missed", {}), **known))
    _raise_if_failed(report, reports / f"{task}.html")
    return report


def check_pack(
    name: str, pack: Pack, columns: Sequence[Column], task: Task, params: ValidateParams
) -> list[dict[str, Any]]:
    """Outcome of every rule on one pack, in the order of the rules."""
    rows = rows_table(pack, _fingerprints(pack))
    tables = {
        "rows": rows,
        "schema": schema_table(pack, columns),
        "counts": counts_table(rows, task, params),
    }
    return _check(name, tables, rules(columns))


def check_source(samples: Pack, params: ValidateParams) -> list[dict[str, Any]]:
    """Outcome of the suite of the published set that a sample pack was read from; empty for other packs."""
    metadata = samples.metadata
    demanded = source_rules(metadata, params)
    return _check("source", source_tables(metadata, params), demanded) if demanded else []


def _check(name: str, tables: Mapping[str, pd.DataFrame], demanded: Sequence[Rule]) -> list[dict[str, Any]]:
    outcomes: dict[int, dict[str, Any]] = {}
    for table, frame in tables.items():
        mine = [number for number, rule in enumerate(demanded) if rule.table == table]
        results = run_suite(frame, [demanded[number] for number in mine]) if mine else []
        outcomes |= dict(zip(mine, results, strict=True))
    return [{"pack": name, **outcomes[number]} for number in sorted(outcomes)]


def run_suite(frame: pd.DataFrame, demanded: Sequence[Rule]) -> list[dict[str, Any]]:
    """Run rules on a table with Great Expectations.

    Returns:
        One entry per rule, in their order: ``rule``, ``column``, ``severity``, ``passed``, ``checked``,
        ``failing``, ``examples`` (ids), ``error`` (why it could not be checked, else None).
    """
    numbered = [rule.expectation.copy(update={"meta": {"number": n}}) for n, rule in enumerate(demanded)]
    how = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": EXAMPLES,
        "unexpected_index_column_names": ["sample_id"],
    }
    with _great_expectations() as context:
        batch = context.data_sources.pandas_default.read_dataframe(frame)
        suite = gx.ExpectationSuite("contract", expectations=numbered)
        results = batch.validate(suite, result_format=how).results
    by_number = {result.expectation_config.meta["number"]: result for result in results}
    return [_outcome(rule, by_number[number], len(frame)) for number, rule in enumerate(demanded)]


@contextmanager
def _great_expectations() -> Iterator[Any]:
    """A context that leaves nothing behind: no progress bars, no temporary folder for its own pages."""
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    try:
        yield context
    finally:
        for site in (context.variables.data_docs_sites or {}).values():
            shutil.rmtree(site["store_backend"]["base_directory"], ignore_errors=True)


def _outcome(rule: Rule, result: Any, rows: int) -> dict[str, Any]:
    error = _raised(result.exception_info)
    details = result.result
    index = details.get("partial_unexpected_index_list") or []
    return {
        "rule": rule.says,
        "column": rule.column,
        "severity": rule.severity,
        "passed": bool(result.success) and error is None,
        "checked": int(details.get("element_count", rows)),
        "failing": int(details.get("unexpected_count", 0)),
        "examples": [str(entry["sample_id"]) for entry in index[:EXAMPLES]],
        "error": error,
    }


def _raised(info: dict[str, Any] | None) -> str | None:
    """Message of an exception inside an expectation; it comes alone or keyed by metric."""
    info = info or {}
    for entry in (info, *(value for value in info.values() if isinstance(value, dict))):
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown").splitlines()[0]
    return None


def _check_origin(samples: Pack, crops: Pack) -> dict[str, Any]:
    """Whether the crops were cut from these samples."""
    passed = crops.metadata.get("samples_digest") == samples.digest
    says = "the crops were cut from this sample pack (run `dvc repro prepare` if not)"
    return _entry("crops", "pack", says, passed, len(crops), [])


def _check_detection(crops: Pack, params: ValidateParams) -> dict[str, Any]:
    """Whether the detector found enough of the faces."""
    rate, pictures = crops.metadata.get("detection_rate"), crops.metadata.get("pictures", 0)
    missed = list(crops.metadata.get("missed", {}))
    says = f"the detector finds the face in at least {params.min_detection_rate:.1%} of the pictures"
    passed = rate is not None and rate >= params.min_detection_rate
    return {**_entry("crops", "image", says, passed, pictures, missed[:EXAMPLES]), "failing": len(missed)}


def _entry(
    pack: str, column: str, says: str, passed: bool, checked: int, examples: list[str]
) -> dict[str, Any]:
    verdict = {"passed": passed, "checked": checked, "failing": 0 if passed else checked, "error": None}
    return {
        "pack": pack,
        "rule": says,
        "column": column,
        "severity": CRITICAL,
        **verdict,
        "examples": examples,
    }


def _counts(pack: Pack) -> dict[str, dict[str, int]]:
    """Pictures by species and split."""
    frame = pack.table.select(["species", "split"]).to_pandas()
    return {
        str(species): {str(split): int(n) for split, n in part["split"].value_counts().sort_index().items()}
        for species, part in frame.groupby("species")
    }


def _fingerprints(pack: Pack) -> list[Fingerprint]:
    if len(pack) < PARALLEL_FROM:
        return [fingerprint(data.as_py()) for data in pack.table.column("image")]
    columns = (*(nullable(n, "binary", "") for n in ("exact", "perceptual")),
               *(nullable(n, "int32", "") for n in ("width", "height")))  # fmt: skip
    spans = [(start, min(start + 1000, len(pack))) for start in range(0, len(pack), 1000)]
    jobs = [Job(f"{start:08d}", stop - start, (pack.path, start, stop)) for start, stop in spans]
    cache = shard_cache(Path(".cache/fingerprints"), pack.digest, modules=["facegate.datasets.fingerprints"])
    rows = run_jobs(_fingerprint_span, jobs, columns, cache, 0, f"fingerprinting {pack.path.name}")
    return [Fingerprint(**row) for row in rows]


def _fingerprint_span(task: tuple[Path, int, int]) -> list[Row]:
    path, start, stop = task
    data = open_pack(path).table.column("image").slice(start, stop - start)
    return [fingerprint(item.as_py())._asdict() for item in data]


def _stopping(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules that stop the graph: critical and broken, or impossible to check."""
    return [r for r in found if r["error"] or (r["severity"] == CRITICAL and not r["passed"])]


def _raise_if_failed(report: dict[str, Any], shown: Path) -> None:
    failed = _stopping(report["rules"])
    if not failed:
        return
    lines = "\n".join(f"  - {_sentence(rule)}" for rule in failed)
    raise ValidationError(
        f"the data contract of {report['task']} does not hold:\n{lines}",
        f"open {shown}, mend the data or the limits in params.yaml (`validate`), and run again",
    )


def _sentence(rule: dict[str, Any]) -> str:
    where = f"{rule['pack']}, column `{rule['column']}`: {rule['rule']}"
    if rule["error"]:
        return f"{where}: could not be checked: {rule['error']}"
    examples = f" (for instance {'; '.join(rule['examples'])})" if rule["examples"] else ""
    return f"{where}: {rule['failing']} of {rule['checked']} do not{examples}"

"""The Great Expectations suite of a published data set, over what its loader met.

``records`` has one line per file that the set lists and one column per trap that the set may hold, filled where a
sample has it; ``pins`` has one line per annotation file with the MD5 found and the one published.
"""

# pyright: reportPrivateImportUsage=false
# Great Expectations does not mark its public names as exported.

from collections.abc import Mapping
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd

from facegate.datasets.suites import CRITICAL, WARNING, Rule
from facegate.datasets.traps import TRAPS
from facegate.params import ValidateParams


def source_rules(metadata: Mapping[str, Any], params: ValidateParams) -> list[Rule]:
    """Demands on the records of a set, one per trap of its suite, and on its pinned files."""
    found = [
        Rule(
            "records",
            trap,
            TRAPS[trap].says,
            gxe.ExpectColumnValuesToBeNull(column=trap),
            CRITICAL if trap in params.stop_on else TRAPS[trap].severity,
        )
        for trap in metadata.get("suite", ())
    ]
    if metadata.get("suite"):
        limit = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="most", column_B="left_out", or_equal=True
        )
        says = f"at most {params.max_dropped:.1%} of the records are left out"
        found.append(Rule("left_out", "records", says, limit, CRITICAL))
    if metadata.get("pins"):
        same = gxe.ExpectColumnPairValuesToBeEqual(column_A="found", column_B="published")
        severity = CRITICAL if metadata.get("pins_demanded", True) else WARNING
        found.append(Rule("pins", "md5", "annotation files have their published MD5", same, severity))
    return found


def source_tables(metadata: Mapping[str, Any], params: ValidateParams) -> dict[str, pd.DataFrame]:
    """The tables that :func:`source_rules` speak of."""
    traps, problems = metadata.get("traps", {}), metadata.get("problems", {})
    names = list(traps)
    others = max(metadata.get("records", 0) - len(names), 0)
    frame = pd.DataFrame({"sample_id": [*names, *[""] * others]})
    for trap in metadata.get("suite", ()):
        frame[trap] = [name if traps[name] == trap else None for name in names] + [None] * others
    most = int(params.max_dropped * metadata.get("records", 0))
    named = f"{len(problems)} of {metadata.get('records', 0)}, at most {most}"
    left_out = pd.DataFrame({"sample_id": [named], "left_out": [len(problems)], "most": [most]})
    rows = [(file, found, published) for file, (found, published) in metadata.get("pins", {}).items()]
    pins = pd.DataFrame(rows, columns=["sample_id", "found", "published"])
    return {"records": frame, "left_out": left_out, "pins": pins}

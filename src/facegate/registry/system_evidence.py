"""Lays what a release shows as one system into its evidence."""

import json
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.params import EvaluateParams
from facegate.registry.evidence import EVALUATION, SCORES
from facegate.registry.release import EVIDENCE, SYSTEM, Manifest
from facegate.registry.system import open_presentations, score_system, time_decisions, write_claims
from facegate.registry.system_rates import system_rates
from facegate.runtime.release import open_release


def evaluate_system(
    folder: Path, manifest: Manifest, presentations: Path, params: EvaluateParams
) -> dict[str, Any]:
    """Run a release folder over the test people and lay the outcome into ``evidence/system``.

    Returns:
        What stands in its ``evaluation.json``: see :func:`~facegate.registry.system_rates.system_rates`.
    """
    pack = open_presentations(presentations)
    engine = open_release(folder, manifest, signed=False)
    table = score_system(engine, pack)
    pad, match = (manifest.components[task].threshold for task in (Task.SPOOF, Task.RECOGNITION))
    sources = sorted(set(pack.column("source")))
    found = {
        "dataset": "+".join(sources),
        "synthetic": sources == ["synthetic"],
        "presentations": pack.digest,
        **system_rates(table, pad, match, params),
        "decision_ms": time_decisions(engine, pack),
    }
    place = folder / EVIDENCE / SYSTEM
    place.mkdir(parents=True, exist_ok=True)
    write_claims(table, place / f"{SCORES}.parquet")
    (place / f"{EVALUATION}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return found

"""How long the gate takes on a million scores: ``python -m facegate.registry.gate_speed 1000000`` prints JSON.

The costly rule is the one on regression: two score tables of the same comparisons, compared by a paired bootstrap
over people. Reading both tables is part of it, as it is when a release is promoted.
"""

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from facegate.contracts import Split, Task
from facegate.evaluation.tables import write_table
from facegate.metrics.intervals import exact_rate
from facegate.params import EvaluateParams
from facegate.registry.facts import Facts
from facegate.registry.gate import judge
from facegate.registry.limits import PUBLISHED
from facegate.registry.regression import compared

PICTURES = 12


def measure_gate(scores: int, resamples: int = 1000) -> dict[str, Any]:
    """Seconds by step for made-up scores of two recognisers on the same comparisons.

    Args:
        scores: comparisons in each table, about.
        resamples: of the paired bootstrap.
    """
    people = max(2, round(math.sqrt(2 * scores) / PICTURES))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.parquet" for name in "ab"]
        count, _ = (_write(path, people, skill) for path, skill in zip(paths, (3.0, 3.1), strict=True))
        start = time.perf_counter()
        found = compared(
            Task.RECOGNITION, paths[0], paths[1], (2.3, 2.3), EvaluateParams(bootstrap=resamples)
        )
        middle = time.perf_counter()
    rules = [rule for profile in PUBLISHED.values() for rule in profile]
    judge(Facts(rates={rule.fact: exact_rate(3, 1000) for rule in rules}), rules)
    end = time.perf_counter()
    return {
        "scores": count,
        "people": people,
        "seconds": {"regression": round(middle - start, 2), "rules": round(end - middle, 3)},
        "verdict": found["verdict"],
    }


def _write(path: Path, people: int, skill: float) -> int:
    who = np.repeat(np.arange(people), PICTURES)
    first, second = np.triu_indices(who.size, 1)
    names = np.char.add("person-", who.astype(str))
    ids = np.char.add(np.char.add(names, "-"), np.tile(np.arange(PICTURES), people).astype(str))
    mated = who[first] == who[second]
    score = np.random.default_rng(int(10 * skill)).normal(0, 1, mated.size) + skill * mated
    columns = {
        "probe_id": ids[first],
        "reference_id": ids[second],
        "probe_subject": names[first],
        "reference_subject": names[second],
        "mated": mated,
        "split": np.full(mated.size, Split.TEST.value),
        "score": score.astype(np.float32),
    }
    write_table(path, columns, Task.RECOGNITION, {"dataset": "made up", "synthetic": True})
    return int(mated.size)


if __name__ == "__main__":
    print(json.dumps(measure_gate(int(float(sys.argv[1] if len(sys.argv) > 1 else 1e6))), indent=2))

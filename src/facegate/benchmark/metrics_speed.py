"""Time and memory of the verification metrics on millions of comparisons.

``python -m facegate.benchmark.metrics_speed 10000000`` measures this process and prints JSON. A protocol such
as IJB-C has 15 million comparisons: whoever tunes a threshold on it should not wait, nor need a server.
"""

import json
import sys
import time
from typing import Any

import numpy as np

from facegate.benchmark.cold import peak_memory
from facegate.metrics.verification import eer, error_curves, tar_table

MATED_SHARE = 0.01
TARGETS = (1e-2, 1e-3, 1e-4, 1e-5)


def measure_metrics(comparisons: int, seed: int = 0) -> dict[str, Any]:
    """Error curves, equal error rate and TAR table of made-up scores.

    Args:
        comparisons: how many scores; one in a hundred is mated.
        seed: of the scores.

    Returns:
        ``comparisons``, ``seconds`` by step, ``scores_mb`` (the input), ``added_mb`` and ``peak_mb`` of the
        process (meaningful in a process of its own), and the rates found, so that a change shows.
    """
    rng = np.random.default_rng(seed)
    mated = rng.normal(0.6, 0.15, int(comparisons * MATED_SHARE)).astype(np.float32)
    nonmated = rng.normal(0.05, 0.12, comparisons - len(mated)).astype(np.float32)
    before, marks = peak_memory(), [time.perf_counter()]
    curves = error_curves(mated, nonmated)
    marks.append(time.perf_counter())
    rate = eer(curves)
    marks.append(time.perf_counter())
    table = tar_table(mated, nonmated, TARGETS)
    marks.append(time.perf_counter())
    after = peak_memory()
    return {
        "comparisons": comparisons,
        "seconds": dict(
            zip(("curves", "eer", "tar_table"), np.round(np.diff(marks), 3).tolist(), strict=True)
        ),
        "scores_mb": round((mated.nbytes + nonmated.nbytes) / 1e6, 1),
        "added_mb": round(after - before, 1) if before is not None and after is not None else None,
        "peak_mb": after,
        "eer": rate.value,
        "operating_points": len(table),
    }


if __name__ == "__main__":
    print(json.dumps(measure_metrics(int(float(sys.argv[1]))), indent=2))

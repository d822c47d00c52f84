"""Cold start and memory of one bundle, measured in a process of its own.

``python -m facegate.benchmark.cold BUNDLE`` prints one line of JSON. Only the edge runtime is imported, so
that the figures are those of a device.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from facegate.errors import BundleError


def measure_cold(folder: Path, threads: int = 1) -> dict[str, Any]:
    """Start a new interpreter that loads a bundle and answers one picture.

    Returns:
        ``import_ms``, ``load_ms`` (read, verify, open), ``first_ms`` (first answer), and ``peak_mb`` and
        ``runtime_mb``: the most memory that the process held, and what it held before it loaded the model.

    Raises:
        BundleError: the process failed.
    """
    command = [sys.executable, "-m", "facegate.benchmark.cold", str(folder), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BundleError(
            f"{folder}: cannot be started cold: {done.stderr.strip().splitlines()[-1:]}",
            "load it in Python to see the whole error",
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure this process."""
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    start = time.perf_counter()
    from facegate.runtime.bundle import load_bundle
    from facegate.runtime.session import Session

    imported = time.perf_counter()
    before = peak_memory()
    bundle = load_bundle(folder)
    session = Session(bundle, threads)
    loaded = time.perf_counter()
    session.run(bundle.golden.inputs[:1])
    answered = time.perf_counter()
    print(
        json.dumps(
            {
                "import_ms": round((imported - start) * 1e3, 2),
                "load_ms": round((loaded - imported) * 1e3, 2),
                "first_ms": round((answered - loaded) * 1e3, 2),
                "runtime_mb": before,
                "peak_mb": peak_memory(),
            }
        )
    )


def peak_memory() -> float | None:
    """Most memory that this process held, in 10⁶ bytes; None where the system does not tell.

    Linux's own figure is preferred: ``ru_maxrss`` may include what the parent held when it forked.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
        import resource
    except (OSError, ImportError):
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


if __name__ == "__main__":
    main()

"""Checks and times bundles on a device that has NumPy and ONNX Runtime and nothing else.

``facegate kit`` copies this very file into the kit as ``run.py``; it must not import facegate. It runs the
golden vectors of every bundle, times the bundles in turns, and writes ``result.json``.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import sys
import time
from pathlib import Path
from typing import Any

_STARTED = time.perf_counter()

import numpy as np  # noqa: E402 - the time that imports take is part of the result
import onnxruntime as ort  # noqa: E402

_IMPORTED = time.perf_counter()

KIT_VERSION = 1
TOLERANCE = {"fp32": 1e-3, "fp16": 1e-2}
INT8_TOLERANCE = 5e-2


class Model:
    """One bundle, opened: its contract, its session, and one golden picture."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.contract = json.loads((folder / "contract.json").read_text())
        data = (folder / "model.onnx").read_bytes()
        if hashlib.sha256(data).hexdigest() != self.contract["model_sha256"]:
            raise SystemExit(
                f"{folder}: model.onnx is not the file that the contract describes; copy the kit anew"
            )
        start = time.perf_counter()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.load_ms = (time.perf_counter() - start) * 1e3
        with np.load(folder / "golden.npz", allow_pickle=False) as golden:
            self.inputs, self.outputs = golden["inputs"], golden["outputs"]
        self.picture = self.tensor(self.inputs[:1])

    def tensor(self, images: Any) -> Any:
        """Pictures (n, height, width, 3) as the contract says that the network takes them."""
        spec = self.contract["input"]
        tensor = images[..., ::-1] if spec["colour"] == "BGR" else images
        if not spec["in_graph"]:
            mean, scale = np.array(spec["mean"], np.float32), np.array(spec["scale"], np.float32)
            tensor = (tensor - mean) * scale
        if spec["layout"] == "NCHW":
            tensor = tensor.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(tensor, spec["dtype"])

    def run(self, tensor: Any) -> Any:
        """Answers to a prepared batch."""
        return self.session.run([self.contract["output"]["name"]], {self.contract["input"]["name"]: tensor})[
            0
        ]

    def golden(self) -> dict[str, Any]:
        """Largest difference from the golden vectors, and whether it is allowed."""
        difference = float(np.abs(self.run(self.tensor(self.inputs)) - self.outputs).max())
        allowed = TOLERANCE.get(self.contract["quantisation"]["target"], INT8_TOLERANCE)
        return {"difference": difference, "allowed": allowed, "passed": bool(difference <= allowed)}


def measure(kit: Path, runs: int, warmup: int, threads: int) -> dict[str, Any]:
    """Check and time every bundle of a kit; see :func:`main` for the result's fields."""
    folders = sorted(path.parent for path in kit.glob("bundles/*/contract.json"))
    if not folders:
        raise SystemExit(f"{kit}: no bundles here; copy the whole kit")
    models = {folder.name: Model(folder, threads) for folder in folders}
    times = _interleaved(models, runs, warmup)
    return {
        "kit_version": KIT_VERSION,
        "machine": _machine(),
        "threads": threads,
        "import_ms": round((_IMPORTED - _STARTED) * 1e3, 2),
        "peak_mb": peak_memory(),
        "models": {
            name: {
                "task": model.contract["task"],
                "target": model.contract["quantisation"]["target"],
                "model_sha256": model.contract["model_sha256"],
                "golden": model.golden(),
                "load_ms": round(model.load_ms, 2),
                "latency_ms": _summary(times[name]),
            }
            for name, model in models.items()
        },
    }


def _interleaved(models: dict[str, Model], runs: int, warmup: int) -> dict[str, Any]:
    rng, names = np.random.default_rng(0), list(models)
    times = {name: np.empty(runs) for name in names}
    shown = time.perf_counter()
    for round_ in range(-warmup, runs):
        for index in rng.permutation(len(names)):
            model = models[names[index]]
            start = time.perf_counter()
            model.run(model.picture)
            elapsed = time.perf_counter() - start
            if round_ >= 0:
                times[names[index]][round_] = elapsed
        if time.perf_counter() - shown > 2:
            shown = time.perf_counter()
            print(f"\r{max(round_, 0)} of {runs} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times


def _summary(times: Any) -> dict[str, Any]:
    values = np.quantile(times * 1e3, [0, 0.5, 0.95, 0.99]).tolist()
    names = ("least", "median", "p95", "p99")
    return {"runs": len(times), **{name: round(v, 4) for name, v in zip(names, values, strict=True)}}


def _machine() -> dict[str, Any]:
    try:
        text = Path("/proc/cpuinfo").read_text()
        board = Path("/proc/device-tree/model")
        cpu = board.read_text().strip("\0\n ") if board.is_file() else ""
    except OSError:
        text, cpu = "", ""
    named = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu or (named.group(1) if named else platform.machine()),
        "architecture": platform.machine(),
        "cores": cores,
        "python": platform.python_version(),
        "versions": {"numpy": np.__version__, "onnxruntime": ort.__version__},
    }


def peak_memory() -> float | None:
    """Most memory that this process held, in 10⁶ bytes; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return round(int(found.group(1)) * 1024 / 1e6, 1) if found else None


def main() -> None:
    """Write ``result.json`` and print a line a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--warmup", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("result.json"))
    given = parser.parse_args()
    result = measure(Path(__file__).resolve().parent, given.runs, given.warmup, given.threads)
    given.out.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")
    for name, model in result["models"].items():
        verdict = "golden vectors pass" if model["golden"]["passed"] else "GOLDEN VECTORS FAIL"
        print(
            f"{name}: median {model['latency_ms']['median']:.3f} ms, p95 {model['latency_ms']['p95']:.3f} ms, {verdict}"
        )
    sys.exit(0 if all(model["golden"]["passed"] for model in result["models"].values()) else 1)


if __name__ == "__main__":
    main()

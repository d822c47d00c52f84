"""All variants of one model in one run: latency, throughput, memory, size, and how near to the limit they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.benchmark.cold import measure_cold
from facegate.benchmark.cost import layer_costs
from facegate.benchmark.footprint import energy, install_size
from facegate.benchmark.layers import profile_layers
from facegate.benchmark.machine import describe, peaks
from facegate.benchmark.timing import Latency, Seconds, interleave, speedup
from facegate.params import BenchmarkParams
from facegate.runtime.bundle import Bundle, load_bundle
from facegate.runtime.processor import available_cores
from facegate.runtime.session import AUTO, Session

REFERENCE = "fp32"
BATCHES = (1, 4, 16, 64)
LARGEST_BATCH = 64 * 160 * 160 * 3
"""Bytes of pictures in a batch, unless one input alone has more: a clip is as dear as many pictures."""
_SLOWEST_LAYERS = 12


@dataclass
class Measured:
    """A benchmark's report and the times that it was made of.

    Attributes:
        report: JSON-ready.
        times: seconds by round of every variant, by threads; for plots.
    """

    report: dict[str, Any]
    times: dict[int, dict[str, Seconds]] = field(default_factory=dict)


def measure(bundles: Mapping[str, Path], params: BenchmarkParams) -> Measured:
    """Measure variants of one model against each other.

    Args:
        bundles: folder of each variant by its name; ``fp32`` is what the others are compared with.
        params: rounds, warm-up, and thread counts.

    Returns:
        Report: ``machine``, ``peaks``, and by variant ``latency_ms`` and ``speedup`` by threads,
        ``throughput``, ``cold``, ``bytes``, ``gmacs``, ``parameters``, ``share_of_peak``, ``runtime`` (what
        ``auto`` chooses and why) and ``energy_mj``; ``install_mb`` by distribution.

    Raises:
        BundleError: a bundle is broken.
    """
    loaded = {name: load_bundle(folder) for name, folder in bundles.items()}
    limits = peaks()
    measured = Measured(
        {"machine": describe(), "peaks": limits, "install_mb": install_size(), "variants": {}}
    )
    paper = _on_paper(loaded.get(REFERENCE) or next(iter(loaded.values())))
    for threads in usable(params.threads):
        measured.times[threads] = time_sessions(loaded, threads, params)
    for name, bundle in loaded.items():
        measured.report["variants"][name] = {
            "target": bundle.contract.quantisation.target,
            "bytes": len(bundle.model),
            "float_layers": len(bundle.contract.quantisation.float_layers),
            **paper,
            **_latencies(name, measured.times),
            "throughput": _throughput(bundle, params),
            "cold": measure_cold(bundles[name]),
            **_runtime(bundle),
        }
    for name, bundle in loaded.items():
        variant = measured.report["variants"][name]
        variant["share_of_peak"] = _share(bundle, variant, limits)
    slowest = max(loaded, key=lambda name: _median(measured, name))
    profiled = profile_layers(loaded[slowest].model, loaded[slowest].golden.inputs[:1])
    measured.report["slowest"] = {"variant": slowest, "layers": profiled[:_SLOWEST_LAYERS]}
    return measured


def usable(threads: tuple[int, ...]) -> list[int]:
    """Thread counts that this machine has cores for; at least one."""
    return sorted({min(t, available_cores()) for t in threads}) or [1]


def time_sessions(bundles: Mapping[str, Bundle], threads: int, params: BenchmarkParams) -> dict[str, Seconds]:
    """Seconds by round of one picture through every variant, interleaved."""
    sessions = {name: Session(bundle, threads) for name, bundle in bundles.items()}
    pictures = {name: bundle.golden.inputs[:1] for name, bundle in bundles.items()}
    calls = {name: _call(session, pictures[name]) for name, session in sessions.items()}
    label = f"latency, {threads} threads"
    return interleave(calls, params.runs, params.warmup, seconds=params.seconds, label=label)


def _call(session: Session, pictures: NDArray[np.uint8]) -> Any:
    return lambda: session.run(pictures)


def _on_paper(bundle: Bundle) -> dict[str, Any]:
    """Cost of the network itself: an int8 graph may hold zeros for speed, which are no work of the network's."""
    layers = layer_costs(bundle.model)
    return {
        "gmacs": round(sum(layer.macs for layer in layers) / 1e9, 6),
        "parameters": sum(layer.parameters for layer in layers),
    }


def _runtime(bundle: Bundle) -> dict[str, Any]:
    """Which runtime is the fastest here, and what an answer costs in energy."""
    session = Session(bundle, runtime=AUTO)
    call = _call(Session(bundle), bundle.golden.inputs[:1])
    return {"runtime": session.choice.report() if session.choice else None, "energy_mj": energy(call)}


def _latencies(name: str, times: Mapping[int, Mapping[str, Seconds]]) -> dict[str, Any]:
    latency = {str(threads): Latency.of(by_name[name]).rounded() for threads, by_name in times.items()}
    faster = {
        str(threads): speedup(by_name[REFERENCE], by_name[name])
        for threads, by_name in times.items()
        if REFERENCE in by_name and name != REFERENCE
    }
    return {"latency_ms": latency, "speedup": faster}


def _throughput(bundle: Bundle, params: BenchmarkParams) -> dict[str, dict[str, float]]:
    """Pictures per second by threads and batch, from medians of a few interleaved rounds."""
    found: dict[str, dict[str, float]] = {}
    picture = bundle.golden.inputs[:1]
    for threads in usable(params.threads):
        session = Session(bundle, threads)
        calls = {str(n): _call(session, np.repeat(picture, n, axis=0)) for n in _batches(picture)}
        times = interleave(calls, max(5, params.runs // 40), 2, label="throughput")
        found[str(threads)] = {n: round(int(n) / float(np.median(t)), 1) for n, t in times.items()}
    return found


def _batches(picture: NDArray[np.uint8]) -> list[int]:
    return [n for n in BATCHES if n == 1 or n * picture.nbytes <= LARGEST_BATCH]


def _share(bundle: Bundle, variant: Mapping[str, Any], limits: Mapping[str, float]) -> dict[str, float]:
    """Multiply-adds per second at one thread over those of a matrix product; both at their best run."""
    latency = variant["latency_ms"].get("1")
    if latency is None:
        return {}
    kind = "fp32_gmacs" if bundle.contract.quantisation.target in ("fp32", "fp16") else "int8_gmacs"
    gmacs = variant["gmacs"] / (latency["least"] / 1e3)
    return {"gmacs_per_s": round(gmacs, 2), "peak": limits[kind], "share": round(gmacs / limits[kind], 4)}


def _median(measured: Measured, name: str) -> float:
    threads = min(measured.times)
    return float(np.median(measured.times[threads][name]))

"""How fast a gallery is searched, and whether the right template is found: ours beside NumPy, faiss and usearch.

``python -m facegate.serving.store.search_speed 1e5 1e6`` prints JSON. Every candidate runs in a process of its own
with one thread: faiss and usearch do not bear each other. Times of the processor stand beside those of the clock, as
only they mean anything on a machine that is busy with something else.

Templates are random directions, the hardest case for an index that hopes for clusters. Half of the probes are mated
(cosine about 0.6 to their template), half are strangers; recall is against the full scan, in full precision.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.benchmark.machine import describe
from facegate.benchmark.timing import Latency
from facegate.metrics.intervals import exact_rate
from facegate.serving.store.index import Index

Vectors = NDArray[np.float32]
Search = Callable[[Vectors], int]
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_RESCORED = 64


def _facegate(templates: Vectors) -> Search:
    index = Index(templates.shape[1])
    index.add(np.arange(len(templates)), templates)
    return lambda probe: index.search(probe)[0].key


def _numpy(templates: Vectors) -> Search:
    return lambda probe: int((templates @ probe).argmax())


def _faiss(spec: str) -> Callable[[Vectors], Search]:
    def build(templates: Vectors) -> Search:
        faiss = importlib.import_module("faiss")
        faiss.omp_set_num_threads(1)
        index = faiss.index_factory(templates.shape[1], spec, faiss.METRIC_INNER_PRODUCT)
        index.train(templates[:100_000])
        index.add(templates)
        if "HNSW" in spec:
            faiss.ParameterSpace().set_index_parameter(index, "efSearch", 256)
        return lambda probe: _best(templates, probe, index.search(probe[None], _RESCORED)[1][0])

    return build


def _usearch_scan(templates: Vectors) -> Search:
    usearch = importlib.import_module("usearch.index")
    inner = usearch.MetricKind.IP
    return lambda probe: int(usearch.search(templates, probe[None], 1, inner, exact=True, threads=1).keys[0])


def _usearch_graph(templates: Vectors) -> Search:
    usearch = importlib.import_module("usearch.index")
    graph = usearch.Index(ndim=templates.shape[1], metric="ip", dtype="i8", connectivity=16, expansion_add=64)
    graph.expansion_search = 256
    graph.add(np.arange(len(templates)), templates, threads=1)
    return lambda probe: _best(templates, probe, graph.search(probe, _RESCORED, threads=1).keys)


def _best(templates: Vectors, probe: Vectors, rows: Any) -> int:
    found = np.asarray(rows, np.int64)
    found = found[found >= 0]
    return int(found[(templates[found] @ probe).argmax()])


CANDIDATES: dict[str, tuple[str, Callable[[Vectors], Search]]] = {
    "facegate": ("onnxruntime", _facegate),
    "numpy": ("numpy", _numpy),
    "faiss flat": ("faiss-cpu", _faiss("Flat")),
    "faiss sq8, rescored": ("faiss-cpu", _faiss("SQ8")),
    "faiss pq64x4fs, rescored": ("faiss-cpu", _faiss("PQ64x4fs")),
    "faiss hnsw16": ("faiss-cpu", _faiss("HNSW16")),
    "usearch scan": ("usearch", _usearch_scan),
    "usearch hnsw16 i8, rescored": ("usearch", _usearch_graph),
}
"""By name: the package that does the work, and how a search is made ready."""

GRAPHS = ("faiss hnsw16", "usearch hnsw16 i8, rescored")
"""Take long to build: only measured where they are asked for."""


def measure(name: str, count: int, size: int, probes: int, seed: int = 0) -> dict[str, Any]:
    """One candidate, in this process.

    Args:
        name: of the candidate.
        count: templates.
        size: dimensions.
        probes: searches, half of them mated.
        seed: of templates and probes.

    Returns:
        ``version``, ``build_cpu_s``, ``wall_ms``, ``cpu_ms`` and ``recall`` of mated probes and of strangers.
    """
    package, build = CANDIDATES[name]
    templates, wanted = _draw(count, size, probes, seed)
    start = time.process_time()
    search = build(templates)
    built = time.process_time() - start
    search(wanted[0])
    found, wall, cpu = np.empty(probes, np.int64), np.empty(probes), np.empty(probes)
    for i, probe in enumerate(wanted):
        marks = time.perf_counter(), time.process_time()
        found[i] = search(probe)
        wall[i], cpu[i] = time.perf_counter() - marks[0], time.process_time() - marks[1]
    right = found == np.array([(templates @ probe).argmax() for probe in wanted])
    halves = {"mated": right[: probes // 2], "strangers": right[probes // 2 :]}
    return {
        "version": importlib.metadata.version(package),
        "build_cpu_s": round(built, 2),
        "wall_ms": Latency.of(wall).rounded(),
        "cpu_ms": Latency.of(cpu).rounded(),
        "recall": {
            kind: exact_rate(int(r.sum()), r.size).model_dump(mode="json") for kind, r in halves.items()
        },
    }


def _draw(count: int, size: int, probes: int, seed: int) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(seed)
    templates = _unit(rng.standard_normal((count, size), dtype=np.float32))
    wanted = _unit(rng.standard_normal((probes, size), dtype=np.float32))
    mated = probes // 2
    wanted[:mated] *= 0.8
    wanted[:mated] += np.float32(0.6) * templates[rng.integers(0, count, mated)]
    return templates, _unit(wanted)


def _unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def compare(counts: list[int], size: int, probes: int, names: list[str]) -> dict[str, Any]:
    """All candidates, each in its own process; one that is not installed or fails says so."""
    galleries = {str(count): {name: _apart(name, count, size, probes) for name in names} for count in counts}
    return {"machine": describe(), "dimensions": size, "threads": 1, "probes": probes, "galleries": galleries}


def _apart(name: str, count: int, size: int, probes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, str(count), "--size", str(size), "--probes", str(probes)]
    done = subprocess.run(
        [*command, "--one", name], capture_output=True, text=True, env=os.environ | _ONE_THREAD, check=False
    )
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]}
    return json.loads(done.stdout)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="How fast a gallery is searched.")
    parser.add_argument(
        "counts", nargs="+", type=lambda text: int(float(text)), help="templates, e.g. 1e5 1e6"
    )
    parser.add_argument("--size", type=int, default=128, help="dimensions of an embedding")
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--graphs", action="store_true", help="graphs too: they take minutes to build")
    parser.add_argument("--one", choices=CANDIDATES, help="only this candidate, in this process")
    given = parser.parse_args()
    if given.one:
        report = measure(given.one, given.counts[0], given.size, given.probes)
    else:
        names = [name for name in CANDIDATES if given.graphs or name not in GRAPHS]
        report = compare(given.counts, given.size, given.probes, names)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

import threading

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.serving.store.index import Index
from facegate.serving.store.scan import Probe, Scan, product_model

SIZE = 8


def unit(rng: np.random.Generator, count: int, size: int = SIZE) -> np.ndarray:
    drawn = rng.standard_normal((count, size)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def expected(known: dict[int, np.ndarray], probe: np.ndarray, count: int) -> list[float]:
    return sorted((float(v @ probe) for v in known.values()), reverse=True)[:count]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-200, 60).filter(bool), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_whatever_was_added_and_removed_the_best_are_those_of_a_full_scan(changes, seed):
    """Positive: add so many; negative: remove some. Parts of 64, whole numbers from 100 templates on."""
    rng = np.random.default_rng(seed)
    index, known, last = Index(SIZE, part=64, exact_up_to=100), {}, 0
    for change in changes:
        if change < 0:
            count = min(-change, 60)
            keys, vectors = np.arange(last, last + count), unit(rng, count)
            last += count
            known.update(zip(keys.tolist(), vectors, strict=True))
            index.add(keys, vectors)
        elif known:
            gone = rng.choice(list(known), min(change, len(known)), replace=False).tolist()
            index.remove([*gone, 10**9])
            known = {k: v for k, v in known.items() if k not in set(gone)}
        probe = unit(rng, 1)[0]
        assert len(index) == len(known)
        for count in (1, 7):
            hits = index.search(probe, count)
            assert [h.score for h in hits] == pytest.approx(expected(known, probe, count), abs=1e-6)
            assert all(float(known[h.key] @ probe) == pytest.approx(h.score, abs=1e-6) for h in hits)


@pytest.mark.parametrize("kind", ["spread", "near-duplicates", "sparse", "one"])
def test_whole_numbers_miss_nothing(kind):
    rng = np.random.default_rng(3)
    vectors = unit(rng, 4096, 32)
    if kind == "near-duplicates":
        vectors = vectors[:1] + 1e-4 * vectors
    if kind == "sparse":
        vectors = np.eye(32, dtype=np.float32)[rng.integers(0, 32, 4096)] + 1e-3 * vectors
    if kind == "one":
        vectors = np.repeat(vectors[:1], 4096, axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = Index(32, part=1024, exact_up_to=0)
    index.add(np.arange(4096), vectors)
    for probe in (*unit(rng, 20, 32), vectors[7]):
        best = np.sort(vectors @ probe)[::-1][:5]
        assert [h.score for h in index.search(probe, 5)] == pytest.approx(best.tolist(), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(1e-3, 50))
def test_a_scaled_score_is_within_its_bound(seed, size, length):
    rng = np.random.default_rng(seed)
    vectors, probe = unit(rng, 50, size) * np.float32(length), unit(rng, 1, size)[0]
    scan, rounded = Scan(vectors), Probe.of(probe)
    error = np.abs(scan.raw(rounded) * scan.scale(rounded) - vectors.astype(np.float64) @ probe)
    assert error.max() <= scan.error(rounded) + 1e-6 * length


def test_the_model_multiplies_whole_numbers():
    rng = np.random.default_rng(0)
    weights = rng.integers(-63, 64, (16, 33)).astype(np.int8)
    probe = rng.integers(0, 256, (1, 16)).astype(np.uint8)
    session = ort.InferenceSession(product_model(weights), providers=["CPUExecutionProvider"])
    got = np.asarray(session.run(None, {"probe": probe})[0])
    np.testing.assert_array_equal(got, (probe.astype(np.int32) - 128) @ weights.astype(np.int32))


def test_searches_go_on_while_the_gallery_changes():
    rng = np.random.default_rng(1)
    index, fixed, wrong = Index(SIZE, part=32, exact_up_to=64), unit(rng, 1), []
    index.add(np.array([0]), fixed)
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            hit = index.search(fixed[0])[0]
            if hit.key != 0 or abs(hit.score - 1) > 1e-5:
                wrong.append(hit)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(1, 400):
        index.add(np.array([i]), unit(rng, 1) * np.float32(0.9))
        if i % 3 == 0:
            index.remove([i - 1, i - 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []

import pytest

from facegate.serving.store.search_speed import CANDIDATES, compare, measure


@pytest.mark.parametrize("name", ["facegate", "numpy"])
def test_a_full_scan_finds_every_template(name):
    report = measure(name, count=3000, size=16, probes=20)
    assert [report["recall"][kind]["errors"] for kind in ("mated", "strangers")] == [10, 10]
    assert report["cpu_ms"]["runs"] == report["wall_ms"]["runs"] == 20


def test_candidates_run_apart_and_one_that_fails_says_so(monkeypatch):
    report = compare([500], size=16, probes=4, names=["numpy", "absent"])
    assert report["galleries"]["500"]["numpy"]["recall"]["mated"]["trials"] == 2
    assert "invalid choice" in report["galleries"]["500"]["absent"]["failed"]
    assert report["machine"]["cores"] >= 1
    assert set(CANDIDATES) >= {"facegate", "numpy", "faiss flat", "usearch scan"}

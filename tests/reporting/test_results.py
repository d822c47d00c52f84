"""The README's table: figures with count and interval, read from what was measured."""

from pathlib import Path
from typing import Any

import pytest

from facegate.errors import FacegateError
from facegate.reporting.results import BEGIN, END, read_measured, results_table, write_into


def rate(value: float | None, trials: int = 1000) -> dict[str, Any]:
    return {"value": value, "low": 0.01, "high": 0.04, "trials": trials}


def auc(value: float) -> dict[str, Any]:
    return {"value": value, "low": 0.9, "high": 0.99, "bona_fide": 60, "attacks": 120}


def measured() -> dict[str, dict[str, Any]]:
    recognition = {"eer": rate(0.025), "tar_at_fmr": {"1e-3": rate(0.9)}}
    spoof = {
        "auc": auc(0.97),
        "auc_by_species": {"print": auc(0.96)},
        "bpcer_5": {"bpcer": rate(0.05), "worst_apcer": rate(0.2), "worst_species": "print"},
        "on_test_curve": {"bpcer_5": {"worst_apcer": rate(0.15), "worst_species": "print_cut"}},
    }
    against = {"against_fp32": {}}
    return {
        "recognition": {
            "synthetic": True,
            "baselines": {"eigenfaces": {"eer": rate(0.2)}},
            "fp32": recognition,
            "x86-vnni": recognition | against,
        },
        "spoof": {
            "synthetic": True,
            "baselines": {"trivial": {"auc_by_species": {"print": {"value": 0.6}, "mask": {"note": "none"}}}},
            "fp32": spoof,
            "x86-vnni": spoof | against,
        },
    }


def benchmarks() -> dict[str, dict[str, Any]]:
    plain = {"latency_ms": {"1": {"median": 1.0}}, "bytes": 2_500_000, "speedup": {}}
    fast = {
        "latency_ms": {"1": {"median": 0.5}},
        "bytes": 700_000,
        "speedup": {"1": {"value": 2.0, "low": 1.9, "high": 2.1}},
    }
    machine = {"cpu": "Some Processor", "cores": 4, "flags": ["avx2", "avx_vnni"]}
    return {"spoof": {"machine": machine, "variants": {"fp32": plain, "x86-vnni": fast}}}


def test_every_rate_carries_interval_and_count() -> None:
    table = results_table(measured(), benchmarks())
    assert "2.50 % (1.00–4.00, n = 1,000)" in table
    assert "0.9700 (0.9000–0.9900; 60 bona fide, 120 attacks)" in table
    assert "20.00 % (1.00–4.00, n = 1,000), print" in table
    assert "15.00 % (1.00–4.00, n = 1,000), print_cut" in table
    assert "0.50 ms, 0.70 MB, 2.00 × fp32 (1.90–2.10)" in table
    assert "print 0.96 against 0.60" in table
    assert "Times: Some Processor, 4 cores (avx2, avx_vnni)." in table
    assert "Times" not in results_table(measured(), {})


def test_rendered_results_are_called_synthetic() -> None:
    assert results_table(measured(), {}).startswith("**Synthetic results")
    real = {task: values | {"synthetic": False} for task, values in measured().items()}
    assert "ynthetic" not in results_table(real, {})


def test_what_was_not_measured_is_said() -> None:
    values = measured()
    values["recognition"]["fp32"] = {"eer": rate(None), "tar_at_fmr": {}}
    del values["spoof"]["fp32"]["bpcer_5"]
    table = results_table(values, {})
    assert table.count("not measurable") >= 4


def test_the_table_replaces_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_into(page, "new\n")
        assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_page_without_room_for_the_table_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    plain, binary = tmp_path / "plain.md", tmp_path / "picture.jpg"
    plain.write_text("no marks")
    binary.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(FacegateError, match=r"plain\.md: the marks of a results table"):
        write_into(plain, "new")
    for page, why in (
        (binary, "cannot be read"),
        (tmp_path, "cannot be read"),
        (tmp_path / "none.md", "no such page"),
    ):
        with pytest.raises(FacegateError, match=f"{page.name}: {why}"):
            write_into(page, "new")
    assert plain.read_text() == "no marks"


def test_what_a_project_measured_is_read_and_a_torn_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacegateError, match="nothing has been measured yet"):
        read_measured(tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/spoof.json").write_text('{"synthetic": true}')
    assert read_measured(tmp_path) == ({"spoof": {"synthetic": True}}, {})
    (tmp_path / "metrics/eyes.json").write_text("<<<<<<< HEAD\n{}")
    with pytest.raises(FacegateError, match=r"eyes\.json: not what a stage writes"):
        read_measured(tmp_path)

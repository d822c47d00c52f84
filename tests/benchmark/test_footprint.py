import itertools
from pathlib import Path

import pytest

from facegate.benchmark import footprint
from facegate.benchmark.footprint import bare, energy, install_size


def test_size_counts_what_the_bare_package_needs_and_no_extra() -> None:
    sizes = install_size()
    assert {"numpy", "onnxruntime", "opencv-python-headless", "pydantic", "typer"} <= set(sizes)
    assert not {"torch", "mlflow", "pytest"} & set(sizes)
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
    assert 20 < sizes["numpy"] < 200


def test_a_bare_requirement_is_of_no_extra_and_no_other_system() -> None:
    lines = [
        "numpy>=2",
        "torch>=2.14; extra == 'train'",
        "colorama; sys_platform == 'win32'",
        "tomli ; python_version < '3.13'",
    ]
    assert bare(lines) == ["numpy>=2", "tomli"]


def test_what_is_not_installed_takes_no_room() -> None:
    assert install_size("no-such-package") == {}


def counters(folder: Path, *values: int) -> None:
    for number, value in enumerate(values):
        place = folder / f"intel-rapl:{number}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "energy_uj").write_text(f"{value}\n")


@pytest.mark.parametrize(("after", "expected"), [((31_000, 12_000), 8.0), ((5, 12_000), None)])
def test_energy_is_the_rise_of_the_counters_by_call(
    after: tuple[int, int], expected: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters(tmp_path, 10_000, 1_000)
    (tmp_path / "intel-rapl:0:0").mkdir()
    (tmp_path / "intel-rapl:0:0" / "energy_uj").write_text("999999")  # a part of package 0: counted already
    ticks = itertools.count()
    monkeypatch.setattr(footprint.time, "perf_counter", lambda: next(ticks) / 2)
    calls = []

    def call() -> None:
        calls.append(1)
        counters(tmp_path, *after)

    found = energy(call, seconds=2.5, folder=tmp_path)
    assert len(calls) == 4
    assert found == expected


def test_a_device_that_does_not_tell_gives_none(tmp_path: Path) -> None:
    assert energy(lambda: None, folder=tmp_path) is None
    counters(tmp_path, 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("no number")
    assert energy(lambda: None, folder=tmp_path) is None

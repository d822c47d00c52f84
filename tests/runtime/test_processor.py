"""What Linux says of processors: excerpts of /proc/cpuinfo as machines print it."""

from pathlib import Path

import pytest

from facegate.runtime import processor

ZEN3 = """processor\t: 0
model name\t: AMD EPYC 7763
flags\t\t: fpu sse4_1 avx avx2 f16c vaes

processor\t: 1
model name\t: AMD EPYC 7763
"""
ZEN4 = "model name\t: AMD EPYC 9354\nflags\t\t: avx2 avx512f avx512_vnni avx512_bf16\n"
CASCADE_LAKE = "model name\t: Xeon Gold 6248\nflags\t\t: avx2 avx512f avx512_vnni\n"
ALDER_LAKE = "model name\t: 12th Gen\nflags\t\t: avx2 avx_vnni\n"
PI5 = "processor\t: 0\nFeatures\t: fp asimd fphp asimddp\nCPU part\t: 0xd0b\n"
GRACE = "processor\t: 0\nFeatures\t: fp asimd asimddp sve i8mm bf16\n"


@pytest.fixture
def info(tmp_path: Path) -> Path:
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(
    ("text", "machine", "family", "bf16"),
    [
        (ZEN3, "x86_64", "x86-avx2", False),
        (ZEN4, "x86_64", "x86-vnni", True),
        (CASCADE_LAKE, "AMD64", "x86-vnni", False),
        (ALDER_LAKE, "x86_64", "x86-vnni", False),
        (PI5, "aarch64", "arm64", False),
        (GRACE, "arm64", "arm64", True),
    ],
)
def test_family_and_bfloat16_follow_the_instruction_sets(
    info: Path, text: str, machine: str, family: str, bf16: bool
) -> None:
    info.write_text(text)
    assert processor.family(info, machine) == family
    assert processor.has_bf16(info) is bf16


def test_a_system_that_tells_nothing_gets_what_is_right_everywhere(info: Path) -> None:
    assert processor.flags(info) == frozenset()
    assert processor.describe(info) == {}
    assert processor.family(info, "x86_64") == "x86-avx2"
    assert processor.family(info, "arm64") == "arm64"
    assert not processor.has_bf16(info)


def test_only_the_first_core_is_read(info: Path) -> None:
    info.write_text(ZEN3.replace("processor\t: 1\n", "processor\t: 1\nflags\t: avx_vnni\n"))
    assert processor.describe(info)["model name"] == "AMD EPYC 7763"
    assert "avx_vnni" not in processor.flags(info)


def test_here_there_is_a_core() -> None:
    assert processor.available_cores() >= 1


@pytest.mark.parametrize(
    ("text", "machine", "target", "problem"),
    [
        (ZEN3, "x86_64", "x86-avx2", ""),
        (ZEN3, "x86_64", "fp32", ""),
        (ZEN3, "x86_64", "x86-vnni", "slower here"),
        (ZEN4, "x86_64", "x86-avx2", ""),
        (ZEN4, "x86_64", "arm64", "slower here"),
        (PI5, "aarch64", "x86-vnni", "slower here"),
    ],
)
def test_integers_for_another_processor_are_told(
    info: Path, text: str, machine: str, target: str, problem: str
) -> None:
    info.write_text(text)
    found = processor.unsuited(target, info, machine)
    assert (problem in found and target in found) if problem else found == ""

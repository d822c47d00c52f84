"""What the processor of this machine computes fast and right: its instruction sets, and the int8 that suits it."""

import os
import platform
import re
from pathlib import Path
from typing import Literal

Family = Literal["x86-vnni", "x86-avx2", "arm64"]
"""Families of processors that int8 is made for; :data:`facegate.exporting.quantize.TARGETS` says what differs."""

VNNI = frozenset({"avx512_vnni", "avx_vnni"})
BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_INFO = Path("/proc/cpuinfo")


def describe(path: Path = _INFO) -> dict[str, str]:
    """What Linux says of the first core, by its own names; empty on another system."""
    try:
        first = path.read_text().split("\n\n")[0]
    except OSError:
        return {}
    return dict(re.findall(r"^([\w ]+?)\s*:\s*(.*)$", first, re.MULTILINE))


def flags(path: Path = _INFO) -> frozenset[str]:
    """Instruction sets, by the names of Linux; empty where they are not told."""
    info = describe(path)
    return frozenset((info.get("flags") or info.get("Features") or "").split())


def family(path: Path = _INFO, machine: str | None = None) -> Family:
    """The family that this machine belongs to.

    An x86 processor that does not tell its instruction sets counts as one without VNNI: int8 made for those is
    right on all of them.
    """
    if (machine or platform.machine()).lower() in ("aarch64", "arm64"):
        return "arm64"
    return "x86-vnni" if flags(path) & VNNI else "x86-avx2"


def unsuited(target: str, path: Path = _INFO, machine: str | None = None) -> str:
    """Why a bundle's integers are not for this machine, by the target in its contract; empty if they are, or it has none."""
    here = family(path, machine)
    if target in ("fp32", "fp16", here) or (target, here) == ("x86-avx2", "x86-vnni"):
        return ""
    return f"its int8 is for {target} and this processor is {here}: slower here than its own would be"


def has_bf16(path: Path = _INFO) -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, training in it takes many times as long."""
    return bool(flags(path) & BF16)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

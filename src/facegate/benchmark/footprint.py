"""What a bare installation puts on a device's disk, and what an answer takes from its battery."""

import importlib.metadata
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_NAME = re.compile(r"^[\w.-]+")
_ELSEWHERE = re.compile(r"extra\s*==|sys_platform\s*==\s*['\"]win32|platform_system\s*==\s*['\"]Windows")
_POWERCAP = Path("/sys/class/powercap")


def install_size(package: str = "facegate") -> dict[str, float]:
    """Size of a package and of everything that it needs, without its extras, as installed here.

    Returns:
        10⁶ bytes by distribution, the largest first, compiled files left out: pip may or may not write them.
    """
    sizes: dict[str, float] = {}
    waiting = [package]
    while waiting:
        name = waiting.pop().lower()
        if name in sizes:
            continue
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        sizes[name] = round(_bytes(found) / 1e6, 2)
        waiting += [_NAME.findall(line)[0] for line in bare(found.requires or [])]
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def bare(requirements: Iterable[str]) -> list[str]:
    """Of a package's requirements those of the bare package on Linux, without their markers: no extra's, no Windows'."""
    split = [line.partition(";") for line in requirements]
    return [line.strip() for line, _, marker in split if not _ELSEWHERE.search(marker)]


def _bytes(found: importlib.metadata.Distribution) -> int:
    files = [Path(str(file.locate())) for file in found.files or [] if file.suffix != ".pyc"]
    return sum(file.stat().st_size for file in files if file.is_file())


def energy(call: Callable[[], object], seconds: float = 1.0, folder: Path = _POWERCAP) -> float | None:
    """Energy of one call by the processor's own counters (RAPL), the whole package, idle parts included.

    Args:
        call: what is repeated.
        seconds: for about how long.
        folder: where Linux shows the counters.

    Returns:
        Millijoules a call; None where the device does not tell, or does not let us read it.
    """
    before = _microjoules(folder)
    if before is None:
        return None
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    after = _microjoules(folder)
    if after is None or any(now < then for now, then in zip(after, before, strict=True)):
        return None
    return round(sum(now - then for now, then in zip(after, before, strict=True)) / 1e3 / calls, 4)


def _microjoules(folder: Path) -> list[int] | None:
    """Counter of each processor package; they are reset to 0 at times."""
    try:
        counters = sorted(folder.glob("intel-rapl:[0-9]*/energy_uj"))
        packages = [counter for counter in counters if counter.parent.name.count(":") == 1]
        return [int(counter.read_text()) for counter in packages] or None
    except (OSError, ValueError):
        return None

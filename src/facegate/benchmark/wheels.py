"""What the bare installation takes on a device of another kind, from the wheels that pip would install there.

    python -m facegate.benchmark.wheels arm64

Nothing is installed: pip fetches the wheels of that platform into a temporary folder, and their tables of contents say
how large they are unpacked.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from facegate.benchmark.footprint import bare
from facegate.benchmark.kit import PYTHON, check_target, wheel_options
from facegate.errors import FacegateError, told_in_words


def wheel_sizes(folder: Path) -> dict[str, float]:
    """Size of each wheel of a folder, unpacked.

    Returns:
        10⁶ bytes by distribution and version, the largest first; compiled files, which pip writes beside them, left out.

    Raises:
        FacegateError: a file is no wheel.
    """
    sizes: dict[str, float] = {}
    for wheel in sorted(folder.glob("*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                total = sum(entry.file_size for entry in archive.infolist())
        except zipfile.BadZipFile as error:
            raise FacegateError(f"{wheel}: not a wheel", "fetch it again") from error
        sizes[" ".join(wheel.name.split("-")[:2])] = round(total / 1e6, 2)
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def fetch_wheels(target: str, requirements: Sequence[str], folder: Path) -> None:
    """Fetch the wheels of some requirements, and of what they need, for a device target of the kit.

    Raises:
        FacegateError: the target is unknown, or pip cannot get them.
    """
    check_target(target)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    options = ["--dest", str(folder), *wheel_options(target)]
    done = subprocess.run([*pip, *options, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        errors = re.findall(r"^ERROR: (.*)$", done.stderr, re.MULTILINE)
        reason = errors[-1] if errors else done.stderr.strip()[-200:]
        raise FacegateError(
            f"pip cannot get the wheels of {target}: {reason}", "look at the index and the network"
        )


def main(target: str) -> None:
    """Print what the bare installation takes on a target."""
    with tempfile.TemporaryDirectory() as folder:
        fetch_wheels(target, bare(requires("facegate") or []), Path(folder))
        sizes = wheel_sizes(Path(folder))
    for name, size in sizes.items():
        print(f"{size:8.2f} MB  {name}")
    print(f"{sum(sizes.values()):8.2f} MB  {target}, {len(sizes)} wheels, Python {PYTHON}")


if __name__ == "__main__":
    with told_in_words():
        main(*sys.argv[1:2] or ["arm64"])

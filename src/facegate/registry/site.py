"""A recogniser moved to a site: its embeddings centred and whitened by what its unlabelled faces have in common.

Two kinds of pictures (a studio and a door, rendered and real people) differ by an offset and a stretching of all
embeddings that say nothing about who is seen. Both can be fitted without knowing anybody, and become one layer behind
the network. Nobody's identity being known, the choice is made on what can be known: how far a face stays from other
faces in comparison with a disturbed copy of itself, on faces that were not fitted to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from facegate.models.recognition.whitening import whitening

Embeddings = NDArray[np.float32]
SHRINKAGES = (0.9, 0.7, 0.5, 0.3)
"""How far the covariance is drawn towards a multiple of the identity: fewer faces bear less whitening."""
FOLDS = 5


@dataclass(frozen=True)
class Shift:
    """``matrix @ (embedding - mean)``, brought back to unit length.

    Attributes:
        mean: what all embeddings have in common, shape (D,).
        matrix: shape (D, D).
    """

    mean: Embeddings
    matrix: Embeddings

    def __call__(self, embeddings: Embeddings) -> Embeddings:
        """Move embeddings (N, D)."""
        moved = (embeddings - self.mean) @ self.matrix.T
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


def fit_shift(embeddings: Embeddings, shrinkage: float | None) -> Shift:
    """Centre, and whiten unless `shrinkage` is None.

    Args:
        embeddings: of unlabelled faces, shape (N, D).
        shrinkage: 0 to 1, see ``SHRINKAGES``.
    """
    width = embeddings.shape[1]
    mean = embeddings.mean(0)
    if shrinkage is None:
        return Shift(mean, np.eye(width, dtype=np.float32))
    covariance = np.cov(embeddings.T.astype(np.float64))
    return Shift(mean, whitening(covariance, 1 - shrinkage).astype(np.float32))


def separation(embeddings: Embeddings, copies: Embeddings) -> float:
    """Distance of faces from each other as against from their disturbed copies, in standard deviations (d′).

    Args:
        embeddings: unit length, shape (N, D).
        copies: of the same faces, disturbed.
    """
    same = np.einsum("nd,nd->n", embeddings, copies)
    other = (embeddings @ copies.T)[~np.eye(len(embeddings), dtype=bool)]
    return float((same.mean() - other.mean()) / np.sqrt((same.var() + other.var()) / 2))


def compare_shifts(embeddings: Embeddings, copies: Embeddings, seed: int = 0) -> Mapping[str, float]:
    """Cross-validated separation by kind of shift: ``none``, ``centred``, ``whitened 0.5`` ….

    Args:
        embeddings: of unlabelled faces, unit length, shape (N, D).
        copies: of the same faces, disturbed.
        seed: of the folds.
    """
    order = np.random.default_rng(seed).permutation(len(embeddings))
    found: dict[str, list[float]] = {}
    for held in np.array_split(order, FOLDS):
        rest = np.setdiff1d(order, held)
        found.setdefault("none", []).append(separation(embeddings[held], copies[held]))
        for name, shrinkage in kinds().items():
            shift = fit_shift(embeddings[rest], shrinkage)
            found.setdefault(name, []).append(separation(shift(embeddings[held]), shift(copies[held])))
    return {name: float(np.mean(values)) for name, values in found.items()}


def kinds() -> Mapping[str, float | None]:
    """Shrinkage by name of the shift."""
    return {"centred": None, **{f"whitened {shrinkage:g}": shrinkage for shrinkage in SHRINKAGES}}


def disturbed(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face as a bad picture of it might show it: mirrored, coarse, turned, lighter or darker, noisy, partly covered.

    As different as two pictures of one person are: with milder changes more whitening is chosen than verification bears.
    """
    height, width = crop.shape[:2]
    scale = rng.uniform(0.25, 0.5)
    small = cv2.resize(crop[:, ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-12, 12), rng.uniform(0.88, 1.12))
    turn[:, 2] += rng.uniform(-0.055, 0.055, 2) * width
    moved = cv2.warpAffine(
        cv2.resize(small, (width, height)), turn, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    top, left = (int(v) for v in rng.uniform(0, 0.7, 2) * (height, width))
    moved[top : top + height // 4, left : left + width // 4] = rng.integers(0, 256, 3)
    lit = 255 * (moved / 255.0) ** rng.uniform(0.5, 2.0) + rng.normal(0, 12, moved.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


def append_shift(model: bytes, shift: Shift) -> bytes:
    """The same network with the shift as its last layer.

    Args:
        model: a recogniser's ONNX file whose output is an embedding of unit length.
        shift: what to put behind it.
    """
    proto = onnx.ModelProto.FromString(model)
    graph = proto.graph
    answer = graph.output[0].name
    for node in graph.node:
        node.output[:] = ["site/given" if name == answer else name for name in node.output]
        node.input[:] = ["site/given" if name == answer else name for name in node.input]
    weights = {"site/matrix": shift.matrix.T, "site/offset": -shift.matrix @ shift.mean}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(v, np.float32), n) for n, v in weights.items()
    )
    graph.node.extend(
        [
            helper.make_node("Gemm", ["site/given", *weights], ["site/moved"], "site/moved"),
            helper.make_node("LpNormalization", ["site/moved"], [answer], "site/unit", axis=1, p=2),
        ]
    )
    del graph.value_info[:]
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)

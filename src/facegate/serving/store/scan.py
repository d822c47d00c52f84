"""Scores of many templates in whole numbers, each with a bound on its error.

Memory is what a scan waits for: 8-bit templates are a quarter of it. ONNX Runtime, which the service has anyway,
multiplies 8-bit numbers with the best instructions of the machine, and a bound on what rounding can do tells which
few templates have to be scored again in full; so nothing is missed. Templates are rounded to ±63, as two products of
such numbers fit the 16 bits in which older processors add them.

The bound: with p = s·a + f and x = t·q + e, |p·x − s·t·a·q| ≤ |p|·|e| + |f|·|t·q| (Cauchy-Schwarz).
"""

from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from facegate.runtime.onnx_file import message, varint

LOWEST = np.iinfo(np.int32).min
"""Raw score that no template has."""

_TEMPLATE_STEPS, _PROBE_STEPS, _ZERO = 63, 127, 128
_UINT8, _INT8, _INT32 = 2, 3, 6
_SLACK = 1e-5  # rounding of the float sums


class Probe(NamedTuple):
    """A probe in whole numbers.

    Attributes:
        numbers: rounded, shifted by 128, shape (1, size).
        step: value of one.
        error: length of what rounding took away.
        length: of the probe.
    """

    numbers: NDArray[np.uint8]
    step: float
    error: float
    length: float

    @classmethod
    def of(cls, probe: NDArray[np.float32]) -> "Probe":
        """The probe, shape (size,), rounded."""
        step = max(float(np.abs(probe).max()), 1e-12) / _PROBE_STEPS
        rounded = np.rint(probe / step)
        error = float(np.linalg.norm(probe - rounded * step))
        return cls((rounded + _ZERO).astype(np.uint8)[None], step, error, float(np.linalg.norm(probe)))


class Scan:
    """Templates in whole numbers.

    Args:
        vectors: shape (n, size).
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._step = max(float(np.abs(vectors).max()), 1e-12) / _TEMPLATE_STEPS
        rounded = np.rint(vectors / self._step)
        kept = rounded * np.float32(self._step)
        self._error = float(np.linalg.norm(vectors - kept, axis=1).max())
        self._length = float(np.linalg.norm(kept, axis=1).max())
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = product_model(np.ascontiguousarray(rounded.astype(np.int8).T))
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def raw(self, probe: Probe) -> NDArray[np.int32]:
        """Scores in whole numbers, shape (n,); the caller may change them."""
        return np.asarray(self._session.run(None, {"probe": probe.numbers})[0])[0]

    def scale(self, probe: Probe) -> float:
        """Cosine that one in a raw score stands for."""
        return self._step * probe.step

    def error(self, probe: Probe) -> float:
        """The most by which a scaled score differs from the cosine."""
        return probe.length * self._error + probe.error * self._length + _SLACK


def product_model(weights: NDArray[np.int8]) -> bytes:
    """An ONNX model that multiplies a probe by fixed weights (``MatMulInteger``), written without ``onnx``.

    Args:
        weights: shape (size, n).
    """
    size, count = weights.shape
    node = b"".join(message(1, name) for name in (b"probe", b"weights", b"zero"))
    node += message(2, b"scores") + message(4, b"MatMulInteger")
    graph = message(1, node) + message(2, b"scan")
    graph += message(5, _tensor(b"weights", _INT8, weights.shape, weights.tobytes()))
    graph += message(5, _tensor(b"zero", _UINT8, (), bytes([_ZERO])))
    graph += message(11, _value(b"probe", _UINT8, (1, size))) + message(
        12, _value(b"scores", _INT32, (1, count))
    )
    return _whole(1, 8) + message(7, graph) + message(8, _whole(2, 13))


def _tensor(name: bytes, kind: int, shape: tuple[int, ...], data: bytes) -> bytes:
    dims = b"".join(_whole(1, n) for n in shape)
    return dims + _whole(2, kind) + message(8, name) + message(9, data)


def _value(name: bytes, kind: int, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(message(1, _whole(1, n)) for n in shape)
    return message(1, name) + message(2, message(1, _whole(1, kind) + message(2, dims)))


def _whole(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)

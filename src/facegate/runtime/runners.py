"""What executes a network: ONNX Runtime, which is always there, OpenVINO and ncnn where they are installed.

The first two read the very same ONNX file of a bundle, ncnn a form of it (:mod:`facegate.runtime.ncnn`). Which is
fastest depends on the processor and the model, so that it is measured and not assumed
(:mod:`facegate.runtime.fastest`).
"""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from facegate.errors import BundleError, MissingExtraError
from facegate.runtime import processor
from facegate.runtime.bundle import Bundle
from facegate.runtime.ncnn import NcnnRunner

EXACT_SUMS = "session.x64quantprecision"
"""ONNX Runtime's switch for int8 products whose sums do not overflow."""


class Runner(Protocol):
    """A network loaded by some runtime; may be called from several threads."""

    batch: int | None
    """Pictures per call, or None for any number."""

    def __call__(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on one prepared batch; returns shape (n, size)."""
        ...


def session_options(threads: int) -> ort.SessionOptions:
    """How ONNX Runtime runs a network of facegate's.

    Processors without VNNI add two products in 16 bits, and int8 weights that were made for VNNI overflow there: of a
    recogniser's embeddings half then lie below a cosine of .95 to the right ones. Such weights are multiplied in another
    way there, half again as slow and right; weights of 7 bits keep the fast one. Elsewhere ONNX Runtime must not be asked
    for it: it would take the slow way with VNNI too.

    Args:
        threads: threads within an operator; 0 for all cores.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    if processor.family() == "x86-avx2":
        options.add_session_config_entry(EXACT_SUMS, "1")
    return options


def open_session(model: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """A network ready to be run by ONNX Runtime.

    Where exact sums are asked for, ONNX Runtime 1.31 cannot open a network of which two operators share a weight, as a
    recurrent one does: its integers are then computed as floats, slowly and right.

    Args:
        model: serialised ONNX model.
        options: of :func:`session_options`; may be changed here.

    Raises:
        Exception: of a family of ONNX Runtime's own, without a common base: it cannot open the network.
    """
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        if "Attempt to replace the existing tensor" not in str(error):
            raise
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class OnnxRunner:
    """ONNX Runtime on the CPU.

    Args:
        bundle: the model.
        threads: threads within an operator.

    Raises:
        BundleError: ONNX Runtime cannot open the model.
    """

    def __init__(self, bundle: Bundle, threads: int) -> None:
        try:
            self._session = open_session(bundle.model, session_options(threads))
        except Exception as error:  # ONNX Runtime raises its own family, without a common base
            raise _unopened(bundle, error) from error
        self._input, self._output = bundle.contract.input.name, [bundle.contract.output.name]
        batch = self._session.get_inputs()[0].shape[0]
        self.batch = batch if isinstance(batch, int) else None

    def __call__(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on one prepared batch; returns shape (n, size)."""
        return np.asarray(self._session.run(self._output, {self._input: tensor})[0], np.float32)


class OpenvinoRunner:
    """OpenVINO on the CPU, in full precision: by default it would compute in bfloat16 where the processor can.

    Args:
        bundle: the model.
        threads: threads of the network.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        BundleError: OpenVINO cannot open the model.
    """

    def __init__(self, bundle: Bundle, threads: int) -> None:
        _need("openvino", "OpenVINO")
        openvino: Any = importlib.import_module("openvino")
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        try:
            core = openvino.Core()
            self._network = core.compile_model(core.read_model(bundle.model, b""), "CPU", options)
        except RuntimeError as error:
            raise _unopened(bundle, error) from error
        batch = self._network.input(0).partial_shape[0]
        self.batch = batch.get_length() if batch.is_static else None
        self._input, self._output = bundle.contract.input.name, bundle.contract.output.name

    def __call__(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on one prepared batch; returns shape (n, size)."""
        answers = self._network.infer_new_request({self._input: tensor})
        return np.array(answers[self._output], np.float32)


def _ncnn(bundle: Bundle, threads: int) -> Runner:
    _need("ncnn", "ncnn")
    return NcnnRunner(bundle, threads)


RUNNERS: Mapping[str, Callable[[Bundle, int], Runner]] = {
    "onnxruntime": OnnxRunner,
    "openvino": OpenvinoRunner,
    "ncnn": _ncnn,
}


def installed(runtime: str) -> bool:
    """Whether a runtime can be imported; it is not imported for that."""
    return importlib.util.find_spec(runtime) is not None


def _need(runtime: str, name: str) -> None:
    if not installed(runtime):
        raise MissingExtraError(f"{name} is not installed", f"pip install 'facegate[{runtime}]'")


def _unopened(bundle: Bundle, error: Exception) -> BundleError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return BundleError(f"{bundle.model_path}: cannot be opened: {reason}", "export the model anew")

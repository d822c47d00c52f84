"""The machine that a benchmark ran on: what it is, and the most that it can do.

A latency means little without its machine; a share of the machine's own peak says how far a network is from
the limit. Names of hosts and users are never read.
"""

import importlib.metadata
import platform
import time
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from facegate.runtime import processor

_FLAGS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm", "sve")
_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless")
_SIDE = 512
_COPIED = 64 << 20


def describe() -> dict[str, Any]:
    """Processor, instruction sets that matter to int8, cores, and versions."""
    named, flags = processor.describe().get("model name"), processor.flags()
    return {
        "cpu": named or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": processor.available_cores(),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def peaks(runs: int = 60) -> dict[str, float]:
    """The most that one thread reaches here, best of several runs.

    Returns:
        ``fp32_gmacs`` and ``int8_gmacs``, 10⁹ multiply-adds per second in a large matrix product by ONNX
        Runtime; ``copy_gbytes``, 10⁹ bytes per second that are read and written again.
    """
    source = np.ones(_COPIED, np.uint8)
    target = np.empty_like(source)
    return {
        "fp32_gmacs": round(_product("MatMul", np.dtype(np.float32), np.dtype(np.float32), runs), 2),
        "int8_gmacs": round(_product("MatMulInteger", np.dtype(np.uint8), np.dtype(np.int8), runs), 2),
        "copy_gbytes": round(2 * _COPIED / _best(lambda: np.copyto(target, source), runs // 4) / 1e9, 2),
    }


def _product(operator: str, left: np.dtype, right: np.dtype, runs: int) -> float:
    shape = [_SIDE, _SIDE]
    out = TensorProto.FLOAT if left == np.float32 else TensorProto.INT32
    types = [helper.np_dtype_to_tensor_dtype(dtype) for dtype in (left, right)]
    weights = helper.make_tensor("b", types[1], shape, np.ones(shape, right).tobytes(), raw=True)
    graph = helper.make_graph(
        [helper.make_node(operator, ["a", "b"], ["c"])],
        "peak",
        [helper.make_tensor_value_info("a", types[0], shape)],
        [helper.make_tensor_value_info("c", out, shape)],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    a = np.ones(shape, left)
    return _SIDE**3 / _best(lambda: session.run(None, {"a": a}), runs) / 1e9


def _best(call: Any, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best

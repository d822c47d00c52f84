"""Does the network do what its contract says? Each check names the field that is wrong.

Three kinds: the contract's fields must make sense together, the tensors of the ONNX graph must be the ones
it describes, and the golden vectors must fit both.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from facegate.contracts import ModelContract, Task
from facegate.faces.align import TEMPLATE_NAME
from facegate.runtime.onnx_file import read_opset

_TENSORS = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}
_MEANS = {
    Task.RECOGNITION: ("embedding", "same_person"),
    Task.SPOOF: ("probabilities", "bona_fide"),
    Task.LIVENESS: ("probabilities", "bona_fide"),
    Task.EYES: ("probabilities", "open"),
}


def disagreements(
    contract: ModelContract, model: bytes, inputs: NDArray[Any], outputs: NDArray[Any]
) -> list[str]:
    """All that is wrong with a model, its contract and its golden vectors; empty if nothing is.

    Args:
        contract: what the model is said to be.
        model: the ONNX file.
        inputs: golden pictures.
        outputs: golden answers.
    """
    return [*_senseless(contract), *_other_tensors(contract, model), *_misfits(contract, inputs, outputs)]


def _senseless(contract: ModelContract) -> Iterator[str]:
    given, out = contract.input, contract.output
    kind, higher = _MEANS[contract.task]
    for name in ("name", "git_commit", "training_data"):
        if not getattr(contract, name):
            yield f"`{name}` is empty"
    if out.kind != kind:
        yield f"`output.kind` is {out.kind!r}; {contract.task} answers {kind}"
    if out.higher_is != higher:
        yield f"`output.higher_is` is {out.higher_is!r}; for {contract.task} it is {higher!r}"
    if out.kind == "embedding" and contract.classes:
        yield "`classes` names classes, and an embedding has none"
    if out.kind == "probabilities":
        if len(contract.classes) != out.size or len(set(contract.classes)) != out.size:
            yield f"`classes` must name {out.size} different classes (`output.size`)"
        if higher not in contract.classes:
            yield f"`classes` lacks {higher!r} (`output.higher_is`)"
    if given.crop == "aligned" and given.template != TEMPLATE_NAME:
        yield f"`input.template` is {given.template!r}; this facegate knows {TEMPLATE_NAME!r}"
    if given.crop == "aligned" and given.height != given.width:
        yield f"`input.height` is {given.height} and `input.width` {given.width}; crops are square"
    if given.dtype == "uint8" and not given.in_graph:
        yield "`input.dtype` is uint8, so that mean and scale must be `input.in_graph`"


def _other_tensors(contract: ModelContract, model: bytes) -> Iterator[str]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own family, without a common base
        yield f"model.onnx cannot be opened: {str(error).splitlines()[0]}"
        return
    if read_opset(model) != contract.opset:
        yield f"`opset` is {contract.opset}, and the network's is {read_opset(model)}"
    yield from _other_input(contract, session.get_inputs())
    yield from _other_output(contract, session.get_outputs())


def _other_input(contract: ModelContract, inputs: Sequence[Any]) -> Iterator[str]:
    given = contract.input
    if [tensor.name for tensor in inputs] != [given.name]:
        yield f"`input.name` is {given.name!r}, and the network's inputs are {[t.name for t in inputs]}"
        return
    (tensor,) = inputs
    if tensor.type != _TENSORS[given.dtype]:
        yield f"`input.dtype` is {given.dtype}, and the network takes {tensor.type}"
    axes = ("height", "width", "channels") if given.layout == "NHWC" else ("channels", "height", "width")
    sizes = {"height": given.height, "width": given.width, "channels": 3}
    if len(tensor.shape) != 4:
        yield f"`input.layout` is {given.layout}, and the network takes {len(tensor.shape)} dimensions"
        return
    for axis, found in zip(axes, tensor.shape[1:], strict=True):
        if isinstance(found, int) and found != sizes[axis]:
            name = "layout" if axis == "channels" else axis
            yield f"`input.{name}`: the network takes {found} {axis}, the contract says {sizes[axis]}"
    if isinstance(tensor.shape[0], int) and tensor.shape[0] != 1:
        yield f"`input.name`: its batch is fixed at {tensor.shape[0]}; it must be free, or 1"


def _other_output(contract: ModelContract, outputs: Sequence[Any]) -> Iterator[str]:
    wanted = contract.output
    tensor = next((t for t in outputs if t.name == wanted.name), None)
    if tensor is None:
        yield f"`output.name` is {wanted.name!r}, and the network's outputs are {[t.name for t in outputs]}"
        return
    if tensor.type != "tensor(float)":
        yield f"`output.name`: the network answers {tensor.type}; it must be float32"
    if len(tensor.shape) != 2 or (isinstance(tensor.shape[1], int) and tensor.shape[1] != wanted.size):
        yield f"`output.size` is {wanted.size}, and the network answers {tensor.shape}"


def _misfits(contract: ModelContract, inputs: NDArray[Any], outputs: NDArray[Any]) -> Iterator[str]:
    picture = (contract.input.height, contract.input.width, 3)
    if inputs.dtype != np.uint8 or inputs.ndim != 4 or inputs.shape[1:] != picture or not len(inputs):
        yield f"golden.npz: `inputs` are {inputs.dtype} {inputs.shape}; needed are uint8 (n, {str(picture)[1:]}"
    if outputs.dtype != np.float32 or outputs.shape != (len(inputs), contract.output.size):
        yield f"golden.npz: `outputs` are {outputs.dtype} {outputs.shape}; `output.size` is {contract.output.size}"
    elif not np.isfinite(outputs).all():
        yield "golden.npz: `outputs` hold NaN or infinity"

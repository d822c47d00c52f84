"""Half precision, for devices that compute in it: GPUs, and ARM cores with the FP16 extension.

On a CPU without such instructions a half-precision graph is slower than fp32 (every operator converts to and fro):
the benchmark says so. The head (normalisation, softmax) stays in single precision, where it loses nothing.
"""

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from facegate.exporting.mirror import add_mirror, mirrored_raw
from facegate.exporting.onnx import add_picture_input, network_alone, picture_sides, serialise
from facegate.exporting.quantize import head_nodes


def halve(model: bytes) -> bytes:
    """Turn weights and activations of an exported model into half precision.

    Args:
        model: what :func:`~facegate.exporting.onnx.export` returned, with the picture as input.

    Returns:
        The serialised model, of the same input (the uint8 picture) and output (single precision); equal inputs
        give equal bytes.
    """
    proto = onnx.ModelProto.FromString(model)
    core = network_alone(proto)
    half = convert_float_to_float16(core, keep_io_types=True, node_block_list=head_nodes(core))
    _say_once(half.graph)
    OnnxModel.graph_topological_sort(half.graph, is_deterministic=True)
    del half.graph.value_info[:]
    whole = add_picture_input(half, picture_sides(proto))
    raw = mirrored_raw(proto)
    return serialise(add_mirror(whole, raw) if raw else whole)


def _say_once(graph: onnx.GraphProto) -> None:
    """Drop repeated casts: the converter writes one for every reader of a tensor, all under the same name."""
    written: set[str] = set()
    for node in list(graph.node):
        if node.output[0] in written:
            graph.node.remove(node)
        written.update(node.output)

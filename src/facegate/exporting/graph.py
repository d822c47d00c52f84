"""What every change of an ONNX graph here begins with: the input's name, and a copy to change."""

import onnx

INPUT = "images"
"""Name of every export's input."""


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that may be changed."""
    other = onnx.ModelProto()
    other.CopyFrom(model)
    return other

"""ONNX export, quantisation and the proof that all variants agree."""

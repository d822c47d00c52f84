"""Find a face, align it, crop it, judge its quality: NumPy, OpenCV and ONNX Runtime only."""

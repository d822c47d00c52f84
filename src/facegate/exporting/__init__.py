"""From a trained network to bundles: ONNX with everything inside, int8 per target, and the proof that they agree."""

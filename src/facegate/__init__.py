"""facegate: face recognition with spoof detection, from data to a gated, quantised, served model."""

__version__ = "0.1.0"

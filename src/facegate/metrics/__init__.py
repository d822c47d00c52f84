"""Verification (ISO/IEC 19795-1) and presentation attack detection (30107-3) figures: pure NumPy and SciPy."""

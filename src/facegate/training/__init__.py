"""Fit and tune: Lightning and Optuna."""
